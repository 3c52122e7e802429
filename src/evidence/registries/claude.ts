/** Claude Code's live sessions: `sessions/<pid>.json` below its configuration, since 2.1.139. */
import { below, type Registry } from './registry.ts';
import { sessionFiles } from './session-files.ts';

/** The registry, for the list in `registries.ts`. */
export const claude: Registry = {
  tool: 'claude',
  directories: below('CLAUDE_CONFIG_DIR', '.claude', 'sessions'),
  ...sessionFiles,
};
