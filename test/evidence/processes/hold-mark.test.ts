import { describe, expect, test } from '@jest/globals';
import { parseHoldMarks } from '../../../src/evidence/processes/hold-mark.ts';

const NONCE = '0123456789abcdef';

describe('the marks in the output of ps -E on macOS', () => {
  test('are read after the arguments, in any position', () => {
    const text = [
      `  501 claude --resume TERM=xterm LOCK_DOCTOR_HOLD=${NONCE} HOME=/Users/ada`,
      '  502 /bin/zsh -il',
      `  503 node agent.js LOCK_DOCTOR_HOLD=${NONCE}`,
    ].join('\n');
    expect([...parseHoldMarks(text)]).toEqual([
      [501, NONCE],
      [503, NONCE],
    ]);
  });

  test('belong to the process of the line before if a value contains a line break', () => {
    const text = `  501 claude PS1=one\ntwo LOCK_DOCTOR_HOLD=${NONCE}\n  502 sleep 5`;
    expect([...parseHoldMarks(text)]).toEqual([[501, NONCE]]);
  });

  test('are only complete variables', () => {
    const text = `  501 echo XLOCK_DOCTOR_HOLD=${NONCE} LOCK_DOCTOR_HOLD=${NONCE}0 LOCK_DOCTOR_HOLD=`;
    expect([...parseHoldMarks(text)]).toEqual([]);
  });
});
