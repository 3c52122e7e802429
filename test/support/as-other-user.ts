import { OTHER_UID } from './processes.ts';

/**
 * Loads the modules that src loads when they are first needed: the other user could not write what jest caches of them. One after
 * another, because jest loses modules that two imports reach at once.
 */
const loadLateModules = async (): Promise<void> => {
  await import('../../src/evidence/files/file-evidence.ts');
  await import('../../src/evidence/files/git-lock-facts.ts');
  await import('../../src/evidence/tmux/ask-servers.ts');
  await import('../../src/kinds-of.ts');
  await import('../../src/look.ts');
  await import('../../src/repair/carry-out.ts');
  await import('../../src/schema/registry-records.ts');
};

/**
 * Runs a function with another user's permissions in this process; needs root (`canBecomeOthers`). Processes that it starts
 * have them as well.
 */
export const asOtherUser = async <T>(work: () => T | Promise<T>): Promise<T> => {
  await loadLateModules();
  process.setegid?.(OTHER_UID);
  process.seteuid?.(OTHER_UID);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
    process.setegid?.(0);
  }
};
