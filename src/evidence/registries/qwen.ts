/** Qwen Code's live sessions: `sessions/<pid>.json`, and one for each session of a daemon, in the form of Claude Code's. */
import { below, type Registry } from './registry.ts';
import { sessionFiles } from './session-files.ts';

/** The registry, for the list in `registries.ts`. */
export const qwen: Registry = {
  tool: 'qwen',
  directories: below('QWEN_HOME', '.qwen', 'sessions'),
  ...sessionFiles,
};
