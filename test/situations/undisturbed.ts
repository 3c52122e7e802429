/**
 * The doctor, for tests of git's locks. Processes that start elsewhere on the machine are seen for a moment even in the private
 * view of the tests (`scripts/verify/hide-newcomers.mjs`). Only root sees where they work and what they have open: for others a
 * lock is unknown for so long. These ask again until that has passed.
 */
import type { Report } from '../../src/core/types/report.ts';
import { examine as examineOnce } from '../../src/diagnose.ts';
import { heal as healOnce } from '../../src/heal.ts';
import { canBecomeOthers, until } from '../support/index.ts';

const PASSING = /: (?:where process \d+ \(.*\) works|the open files of process \d+ \(.*\)) cannot be read\b/;

const isDisturbed = ({ locks }: Report): boolean =>
  !canBecomeOthers && locks.some(({ evidence }) => evidence.some(({ text }) => PASSING.test(text)));

const undisturbed = (ask: () => Promise<Report>): Promise<Report> =>
  until(async () => {
    const report = await ask();
    return isDisturbed(report) ? false : report;
  }, 'the end of a process that runs elsewhere on this machine');

export const examine: typeof examineOnce = (...args) => undisturbed(() => examineOnce(...args));

export const heal: typeof healOnce = (...args) => undisturbed(() => healOnce(...args));
