/** Why a lock is not released, in words. The one table: reports, plans, repairs, preflight, checks and the lock library. */
import { FRESH_MS } from '../judge/ages.ts';
import { releaseOf } from '../judge/may-release.ts';
import { AGENTS_UNSEEN } from '../judge/occupants/occupants.ts';
import type { Refusal, Verdict } from '../types/judgement.ts';

const JUST_WRITTEN = `written less than ${FRESH_MS / 1000} s ago`;

/** Where a lock is that is released from its own town. */
export const OUT_OF_REACH = 'outside this directory';

/** Sentence fragments about the lock. */
export const REFUSALS: Readonly<Record<Refusal['why'], string>> = {
  state: 'only a person releases it, by name',
  tracked: 'tracked by git',
  'tracked-unknown': 'git could not say whether it tracks it',
  outside: `it is ${OUT_OF_REACH}`,
  'not-a-file': "it is not a readable regular file of a lock's size",
  'not-utf8': 'its path is not UTF-8: move it aside by hand',
  'by-hand': 'somebody locked it by hand',
  'no-owner': 'it does not say who holds it',
  never: 'locks of this kind are not released',
  fresh: JUST_WRITTEN,
  young: JUST_WRITTEN,
  occupied: 'an agent is running there',
  'occupants-unknown': AGENTS_UNSEEN,
};

/** Why a lock is refused, as a sentence fragment that does not say when to ask again. */
export const describeRefusal = ({ strangers, lock: { rules } }: Verdict, { why }: Refusal): string => {
  if ((why === 'fresh' || why === 'young') && rules !== undefined)
    return `written less than ${rules.freshMs / 1000} s ago`;
  const [stranger] = why === 'occupants-unknown' ? strangers : [];
  return stranger?.text ?? REFUSALS[why];
};

/** Why `--fix` (`force`: with `--force`) leaves a lock, and when to ask again; null where it releases it. */
export const refusalOf = (verdict: Verdict, force = false): string | null => {
  const release = releaseOf(verdict, force);
  if (release.allowed) return null;
  const { retryInSeconds } = release;
  const again = retryInSeconds === null ? '' : `; try again in ${retryInSeconds} s`;
  return `${describeRefusal(verdict, release)}${again}`;
};
