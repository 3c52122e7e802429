import { OTHER_UID } from './processes.ts';

/**
 * Runs a function with another user's permissions in this process; needs root (`canBecomeOthers`). Processes that it starts
 * have them as well.
 */
export const asOtherUser = async <T>(work: () => T | Promise<T>): Promise<T> => {
  // Loaded late, and that user cannot write what jest keeps of a module that it meets for the first time.
  await import('../../src/evidence/tmux/hidden-servers.ts');
  process.setegid?.(OTHER_UID);
  process.seteuid?.(OTHER_UID);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
};
