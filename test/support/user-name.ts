import { userInfo } from 'node:os';

/** The name of the account of whoever runs the tests; null for a user without one, as in containers. */
export const accountName = (() => {
  try {
    return userInfo().username;
  } catch {
    return null;
  }
})();

/** How the program names whoever runs the tests. */
export const shownUser = accountName ?? `user ${process.geteuid?.()}`;
