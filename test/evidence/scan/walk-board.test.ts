import { expect, test } from '@jest/globals';
import {
  beginWork,
  countRemaining,
  endWork,
  newBoard,
  openBoard,
  readProgress,
  takeNext,
  takenByHelper,
  tellProgress,
  waitForHelper,
} from '../../../src/evidence/scan/walk-board.ts';

test('each subtree is taken once, by the thread that asks first', () => {
  const board = newBoard(4);
  const other = openBoard(board.shared);
  expect(countRemaining(board)).toBe(4);
  expect([
    takeNext(board, false),
    takeNext(other, true),
    takeNext(other, true),
    takeNext(board, false),
  ]).toEqual([0, 1, 2, 3]);
  expect([takeNext(board, false), takeNext(other, true)]).toEqual([null, null]);
  expect(takenByHelper(board)).toEqual([1, 2]);
  expect(countRemaining(board)).toBe(0);
});

test('a helper that has handed over its part is not waited for', () => {
  const board = newBoard(1);
  expect(beginWork(board)).toBe(true);
  tellProgress(board, 7);
  endWork(board);
  expect(readProgress(board)).toBe(7);
  expect(waitForHelper(board, 60_000)).toBe(true);
});

test('a helper that has not begun when everything is done is called off for good', () => {
  const board = newBoard(1);
  expect(waitForHelper(board, 60_000)).toBe(false);
  expect(beginWork(board)).toBe(false);
});

test('a helper without progress is given up', () => {
  const board = newBoard(2);
  beginWork(board);
  takeNext(board, true);
  expect(waitForHelper(board, 10)).toBe(false);
  expect(takenByHelper(board)).toEqual([0]);
});
