/** The option by which a printed command names the root of its report, however that root was found. */
import type { TownFacts } from '../types/evidence.ts';

/** Words for the end of one of our command lines. */
export const townOption = ({ root, source }: Pick<TownFacts, 'root' | 'source'>): readonly string[] =>
  source === 'home' ? ['--home'] : ['--town', root];
