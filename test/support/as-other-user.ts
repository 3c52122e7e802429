import { OTHER_UID } from './processes.ts';

/**
 * Runs something with another user's permissions, in this very process; needs root (`canBecomeOthers`). What it starts
 * has them as well.
 */
export const asOtherUser = async <T>(work: () => T | Promise<T>): Promise<T> => {
  process.setegid?.(OTHER_UID);
  process.seteuid?.(OTHER_UID);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
};
