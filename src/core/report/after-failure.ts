/** What to do about a release that failed: the same command would fail again. Pure. */

interface Remedy {
  /** Sentence fragment. */
  readonly text: string;
  readonly next: readonly string[];
}

/** By the system's code, which ends the reason or stands before the owner in it. */
const CODE = /\((E[A-Z]+)\)(?:: [^:]+)?$/;

/** How a reason ends where neither the owner nor root may change a file. */
export const MAY_BE_IMMUTABLE = 'or its directory may be immutable';

/** The remedy for a failure that lasts; null where another try may succeed. */
export const remedyFor = (reason: string | null, lock: string): Remedy | null => {
  const show = ['df', lock];
  const directory = lock.slice(0, lock.lastIndexOf('/')) || '/';
  if (reason?.endsWith(MAY_BE_IMMUTABLE) === true)
    return {
      text: 'if lsattr shows the flag i or a there, remove it with chattr -i or chattr -a',
      next: ['lsattr', '-d', lock, directory],
    };
  switch (CODE.exec(reason ?? '')?.[1]) {
    case 'EROFS':
      return { text: 'mount it so that it can be written, or run doctor where it can be', next: show };
    case 'ENOSPC':
    case 'EDQUOT':
      return { text: 'make room on that disk first', next: show };
    case 'EACCES':
    case 'EPERM':
      return {
        text: 'run doctor as a user who may write there',
        next: ['ls', '-ld', directory],
      };
    default:
      return null;
  }
};
