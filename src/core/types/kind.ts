/** What a kind of lock says of itself: data, and one pure function that reads its bytes. The twin of a check. */
import type { KindRules, LockContent, LockFile } from './evidence.ts';

/** Where the locks of a kind lie. Data, so that one table of all kinds can be made before a walk starts. */
export interface Where {
  /**
   * Names of directories that lie directly in the place that a lock speaks for, and what each says about the age of the
   * layout. Each name begins with a dot: a walk looks no other name up.
   */
  readonly homes: Readonly<Record<string, LockFile['layout']>>;
  /** File name of the lock; everything else in a home whose name begins so belongs to it. */
  readonly name: string;
  /** File name of the second record that keeps the true holder; left out where there is none. */
  readonly companion?: string;
}

/** How a lock is let go and put back: `move-aside` renames it to a kept copy, which `doctor undo` links back. */
export type LetGo = 'move-aside';

interface KindText {
  /** Prefix of the ids of its locks, and the name of its page. */
  readonly id: string;
  readonly title: string;
  /** One sentence. */
  readonly summary: string;
  readonly where: Where;
  /** What the bytes of a regular file say. Pure, and never throws. */
  readonly read: (bytes: Uint8Array) => LockContent;
  readonly letGo: LetGo;
}

/** `claims: 'worker'`: judged by the decision table of ARCHITECTURE.md, and every witness is asked. Others say who is. */
export type Kind = KindText & ({ readonly claims: 'worker' } | KindRules);
