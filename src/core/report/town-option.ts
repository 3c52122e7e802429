/** The option by which a printed command means the root of a report, however that was found. */
import type { TownFacts } from '../types/evidence.ts';

/** For the end of a command line of ours. */
export const townOption = ({ root, source }: Pick<TownFacts, 'root' | 'source'>): readonly string[] =>
  source === 'home' ? ['--home'] : ['--town', root];
