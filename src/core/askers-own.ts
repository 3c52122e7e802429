/** Which locks look dead only because the one who asks does not count, and why they may be that one's own. Pure. */
import { countingTheAsker } from './judge/asker.ts';
import { examineSnapshot } from './judge/examine.ts';
import type { Examination, Stranger } from './types/judgement.ts';

const ASKER_WORKS_THERE =
  'the agent that runs this command works there itself; run it from another directory';

/** By ids of locks, a sentence fragment for each that a repair leaves for the sake of its asker. */
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

/** Where it stands is what it can change: nobody has to tell us what it is. */
const describeAsker = ({ program, pid }: Stranger): string =>
  `${program} (process ${pid}), which runs this command, works there itself; run it from another directory`;
