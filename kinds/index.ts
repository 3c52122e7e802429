import type { Kind } from '../src/kind.ts';
import agent from './agent.ts';
import gitLock from './git-lock.ts';
import gitWorktree from './git-worktree.ts';

/** The built-in kinds of lock. */
export const builtInKinds: readonly Kind[] = [agent, gitWorktree, gitLock];
