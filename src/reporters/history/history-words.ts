/** What became of locks, in the words of every view of the history. */
import type { LockKind } from '../../core/types/evidence.ts';
import type { ByWhom, HistoryDeed, HistoryEvent } from '../../core/types/history.ts';
import type { Holder } from '../../core/types/judgement.ts';
import { quoteCommand } from '../screen/shell-quote.ts';
import type { Mark } from '../screen/style.ts';

/** How each deed is marked and called. */
export const DEED_WORDS: Readonly<Record<HistoryDeed, readonly [Mark, string]>> = {
  begun: ['unknown', 'release begun'],
  released: ['fixed', 'released'],
  'not-released': ['warning', 'not released'],
  restored: ['info', 'restored'],
  'not-restored': ['warning', 'not restored'],
  tidied: ['skipped', 'cleaned up'],
  'taken-over': ['info', 'taken over'],
  'lease-revoked': ['warning', 'lease revoked'],
};

/** What became of a release, and who released: each part is left out where it is not known. */
export const outcomeWords = ({
  deed,
  reason,
  by,
}: Pick<HistoryEvent, 'deed' | 'reason' | 'by'>): readonly string[] => [
  ...(deed === 'begun' ? ['nothing says how it ended'] : []),
  ...(reason === null ? [] : [reason]),
  ...(by === null ? [] : [`by ${byWords(by)}`]),
];

const CONSENTS: Readonly<Record<ByWhom['consent'], string>> = {
  asked: 'confirmed at a terminal',
  yes: 'confirmed with --yes',
  command: 'with',
  library: 'from a program',
};

/** `ada on build1, confirmed at a terminal: doctor --fix`; what was typed is known without what looks like a secret. */
const byWords = ({ user, uid, sudoUid, host, command, consent }: ByWhom): string =>
  `${user ?? `user ${uid}`}${sudoUid === null ? '' : ` (sudo of user ${sudoUid})`} on ${host}, ${CONSENTS[consent]}: ${command.map(quoted).join(' ')}`;

/** The placeholders `…` and `***` are not quoted: nobody pastes them. */
const quoted = (word: string): string => (word === '…' || word === '***' ? word : quoteCommand([word]));

/** `PID 17253 in %4196 on build1`; of a kind whose locks name a holder instead of a session, `PID 17253 (claude agent agent-7f3c)`. */
export const recordWords = (
  { pid, sessionId, hostname }: Pick<Holder, 'pid' | 'sessionId' | 'hostname'>,
  kind: LockKind,
): string =>
  [
    `PID ${pid}`,
    ...(sessionId === null || sessionId === ''
      ? []
      : [kind === 'agent' ? `in ${sessionId}` : `(${sessionId})`]),
    ...(hostname === null || hostname === '' ? [] : [`on ${hostname}`]),
  ].join(' ');

/** What the lock of an event was: `stale`, of another kind than the agent's with it: `stale, git-lock index.lock`. */
export const lockWords = ({ lock, backup }: Pick<HistoryEvent, 'lock' | 'backup'>): readonly string[] => {
  if (lock === null) return [];
  const { kind, state, forced, holder } = lock;
  const file = (backup ?? '').replace(/^.*\/|\.released-.*$/gs, '');
  // The lock of a worktree has the same name in all of them.
  const which = file === '' || kind === 'git-worktree' ? `${kind} lock` : `${kind} ${file}`;
  return [
    `${state}${forced ? ', by force' : ''}`,
    ...(kind === 'agent' ? [] : [which]),
    ...(holder === null ? [] : [`naming ${recordWords(holder, kind)}`]),
  ];
};
