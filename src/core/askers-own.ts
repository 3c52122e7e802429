/** Which locks look dead only because the asker does not count, and why each may be the asker's own. Pure. */
import { countingTheAsker } from './judge/asker.ts';
import { examineSnapshot } from './judge/examine.ts';
import type { Examination, Stranger } from './types/judgement.ts';

const ASKER_WORKS_THERE =
  'the agent that runs this command works there itself; run it from another directory';

/** The locks that a repair leaves because they may be its asker's own: by lock id, the reason as a sentence fragment. */
export const askersOwn = ({ snapshot }: Examination): ReadonlyMap<string, string> => {
  const counted = countingTheAsker(snapshot);
  if (counted === snapshot) return new Map();
  const { pids } = snapshot.machine.asker;
  const isAsker = ({ pid }: Stranger): boolean => pid !== null && pids.includes(pid);
  return new Map(
    examineSnapshot(counted).verdicts.flatMap(({ lock, occupants, strangers }) => {
      if (occupants.length > 0) return [[lock.id, ASKER_WORKS_THERE] as const];
      const asker = strangers.find(isAsker);
      const why = asker === undefined ? strangers[0]?.text : describeAsker(asker);
      return why === undefined ? [] : [[lock.id, why] as const];
    }),
  );
};

/** Advises another directory, since a script can change that; it need not be named in the configuration. */
const describeAsker = ({ program, pid }: Stranger): string =>
  `${program} (process ${pid}), which runs this command, works there itself; run it from another directory`;
