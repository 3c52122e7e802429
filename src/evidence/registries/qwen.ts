/** Qwen Code's live sessions: `sessions/<pid>.json`, and one for each session of a daemon, in the form of Claude Code's. */
import { type Registry, type RegistryUser, textIn } from './registry.ts';
import { claimsOfSessionFiles } from './session-files.ts';

/** As with Claude Code's, the asker's own variable does not speak for everybody. */
const directories = ({ home, env }: RegistryUser): readonly string[] =>
  [textIn(env.QWEN_HOME), `${home}/.qwen`].flatMap((config) =>
    config?.startsWith('/') ? [`${config}/sessions`] : [],
  );

/** The registry, for the list in `registries.ts`. */
export const qwen: Registry = { tool: 'qwen', directories, claims: claimsOfSessionFiles };
