/** Claude Code's live sessions: `sessions/<pid>.json` below its configuration, since 2.1.139. */
import { type Registry, type RegistryUser, textIn } from './registry.ts';
import { claimsOfSessionFiles } from './session-files.ts';

/** The asker's own variable says nothing of agents that were started without it, so the usual place counts as well. */
const directories = ({ home, env }: RegistryUser): readonly string[] =>
  [textIn(env.CLAUDE_CONFIG_DIR), `${home}/.claude`].flatMap((config) =>
    config?.startsWith('/') ? [`${config}/sessions`] : [],
  );

/** The registry, for the list in `registries.ts`. */
export const claude: Registry = { tool: 'claude', directories, claims: claimsOfSessionFiles };
