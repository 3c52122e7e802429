/** What became of a lock's holder, in one sentence: for checks, plans and the tree of locks. */
import { flat } from '../record/flat.ts';
import { claimsWorker } from '../town/lock-rules.ts';
import type { Holder, Reason, Verdict } from '../types/judgement.ts';
import { describeAge } from './amounts.ts';

type Lost = Pick<Holder, 'pid' | 'truePid' | 'process' | 'sessionId' | 'session' | 'hostname' | 'ageSeconds'>;

/** What tells how old a lock is, in a verdict as in a report. */
type Aged = Pick<Verdict, 'writtenSecondsAgo' | 'reasons'> & {
  readonly holder: Pick<Holder, 'ageSeconds'> | null;
};

/**
 * `taken 8 h ago` where the lock says so, else `written 8 h ago` by its file; of a clock that was set back since, `taken 3 min in
 * the future`. Null where neither is known, and for a lock that its holder writes again and again.
 */
const describeSince = ({ holder, writtenSecondsAgo, reasons }: Aged): string | null => {
  const taken = holder?.ageSeconds ?? null;
  const seconds = taken ?? writtenSecondsAgo;
  if (seconds === null || reasons.includes('refreshed') || reasons.includes('not-refreshed')) return null;
  return `${taken === null ? 'written' : 'taken'} ${describeAge(seconds)}${seconds < 0 ? '' : ' ago'}`;
};

/** The same as the end of a sentence about the lock. */
export const sinceAtEnd = (lock: Aged): string => {
  const since = describeSince(lock);
  return since === null ? '' : `; ${since}`;
};

/** `its process (17253) and pane (%4196) are gone; taken 8 h ago`. */
export const describeLoss = (
  holder: Lost,
  { reasons, notes, writtenSecondsAgo }: Pick<Verdict, 'reasons' | 'notes' | 'writtenSecondsAgo'>,
): string => {
  const tail = sinceAtEnd({ holder, reasons, writtenSecondsAgo });
  if (notes.includes('copy'))
    return `a copy of another worker's lock; its process ${holder.truePid} belongs there${tail}`;
  if (holder.process === null) {
    const place = reasons.includes('other-namespace')
      ? 'taken in another PID namespace'
      : `taken on another host, ${holder.hostname ?? 'unknown'}`;
    // Both begin with that word.
    return `${place}${tail.replace(/^; taken /, ', ')}`;
  }
  return `${whatIsLeft(holder, reasons)}${tail}`;
};

const whatIsLeft = (
  { pid, truePid, process, sessionId, session }: Lost,
  reasons: readonly Reason[],
): string => {
  const noun = sessionId?.startsWith('%') === true ? 'pane' : 'session';
  const [inBrackets, plain] = [`${noun} (${sessionId})`, `${noun} ${sessionId}`];
  const named = sessionId === null || session === 'unnamed' ? null : session;
  const replaced = reasons.includes('pane-recycled') || reasons.includes('session-recycled');
  const fate = replaced ? 'has been reused' : 'is gone';
  if (process === 'alive') {
    if (named === 'gone') return `process ${truePid} is still running, but its ${plain} ${fate}`;
    return `process ${truePid} is running`;
  }
  if (process === 'gone' && named === 'gone' && !replaced && !reasons.includes('pid-invalid'))
    return `its process (${truePid}) and ${inBrackets} are gone`;
  const number = reasons.includes('pid-invalid')
    ? `its PID (${pid}) is not valid`
    : process === 'gone'
      ? `its process (${truePid}) is gone`
      : process === 'recycled'
        ? `its PID (${truePid}) now belongs to another process`
        : `its process (${truePid}) could not be checked`;
  if (named === null) return number;
  if (named === 'gone') return `${number}, and its ${inBrackets} ${fate}`;
  return named === 'live'
    ? `${number}, but its ${plain} is still open`
    : `${number}; its ${inBrackets} could not be checked`;
};

/** What shows that the holder of a held lock lives. */
export const describeLife = ({ occupants, reasons, facts }: Verdict): string => {
  const [first] = occupants;
  if (first !== undefined) return first.text;
  const source = reasons.includes('pane-live') || reasons.includes('session-live') ? 'tmux' : 'processes';
  return facts.find((fact) => fact.source === source)?.text ?? 'a live agent';
};

/** Who holds a lock, or what became of its holder, in one line: `its process (41822) and pane (%55) are gone; taken 8 h ago`. */
export const summary = (verdict: Verdict): string => {
  const { holder, lock, facts, notes, state, occupants } = verdict;
  const isHeld = state === 'held' && holder !== null && !notes.includes('idle');
  const said =
    holder === null
      ? `${facts[0]?.text ?? `${lock.path} is not a valid lock`}${sinceAtEnd(verdict)}`
      : isHeld
        ? `${occupants.map(({ text }) => text).join('; ') || describeLife(verdict)}${sinceAtEnd(verdict)}`
        : describeLoss(holder, verdict);
  const gone = holder !== null && notes.includes('gone') ? '; its directory is gone as well' : '';
  return flat(`${ofKind(verdict)}${said}${gone}`);
};

/**
 * Prefix of a sentence about a lock that is not an agent's: `git-worktree lock of claude agent agent-ab12: `; else empty. What is no
 * valid lock says nothing of itself, and a place may have several: `git-lock (HEAD.lock): `.
 */
export const ofKind = ({ lock, holder, state }: Verdict): string => {
  if (claimsWorker(lock)) return '';
  const name = holder?.sessionId ?? null;
  const kind = lock.kind.endsWith('lock') ? lock.kind : `${lock.kind} lock`;
  const file = state === 'invalid' ? ` (${lock.path.slice(lock.path.lastIndexOf('/') + 1)})` : '';
  return `${kind}${name === null ? '' : ` of ${name}`}${file}: `;
};
