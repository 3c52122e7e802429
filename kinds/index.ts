/** The built-in kinds of lock. */
import type { Kind } from '../src/kind.ts';
import agent from './agent.ts';
import beads from './beads.ts';
import claudeScheduler from './claude-scheduler.ts';
import codex from './codex.ts';
import copilot from './copilot.ts';
import daemon from './daemon.ts';
import gitLock from './git-lock.ts';
import gitWorktree from './git-worktree.ts';
import gsd from './gsd.ts';
import openclaw from './openclaw.ts';
import pidFile from './pid-file.ts';
import pidJson from './pid-json.ts';
import properLockfile from './proper-lockfile.ts';

export const builtInKinds: readonly Kind[] = [
  agent,
  gitWorktree,
  gitLock,
  claudeScheduler,
  gsd,
  beads,
  daemon,
  openclaw,
  copilot,
  codex,
  pidJson,
  pidFile,
  properLockfile,
];
