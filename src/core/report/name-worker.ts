/** How printed commands name the root of a report, and a worker even if its name looks like an option or one of our commands. */
import type { TownFacts } from '../types/evidence.ts';
import type { Verdict } from '../types/judgement.ts';

/** An option with a value that may look like an option itself. */
export const optionWith = (name: string, value: string): readonly string[] =>
  value.startsWith('-') ? [`--${name}=${value}`] : [`--${name}`, value];

/** Options that a command needs to reach the same verdict: `--former-host`, which may be named on this command line only. */
export const asAsked = (verdict: Verdict | undefined): readonly string[] =>
  verdict?.reasons.includes('former-host') === true
    ? optionWith('former-host', verdict.holder?.hostname ?? '')
    : [];

/**
 * A worker as an argument that means the same wherever the command is run. An absolute path where the name alone would be taken for an
 * option, by `explain` for a state or a check, or for where the caller stands.
 */
export const workerArgument = (worker: string, root: string): string => {
  if (worker === '.') return root;
  const isWord = !worker.includes('/');
  return worker.startsWith('-') || isWord ? `${root === '/' ? '' : root}/${worker}` : worker;
};

/** The root of a report, however it was found: words for the end of one of our command lines. */
export const townOption = ({ root, source }: Pick<TownFacts, 'root' | 'source'>): readonly string[] =>
  source === 'home' ? ['--home'] : ['--town', root];
