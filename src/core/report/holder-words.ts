/** What became of a lock's holder, in one sentence: for checks, plans and the tree of locks. */
import type { Holder, Note, Reason } from '../types/judgement.ts';
import { describeAge } from './age.ts';

type Lost = Pick<Holder, 'pid' | 'truePid' | 'process' | 'sessionId' | 'session' | 'hostname' | 'ageSeconds'>;

/** `its process (17253) and pane (%4196) are gone; taken 8 h ago`. */
export const describeLoss = (
  holder: Lost,
  { reasons, notes }: { readonly reasons: readonly Reason[]; readonly notes: readonly Note[] },
): string => {
  const taken = takenAgo(holder.ageSeconds);
  const tail = taken === null ? '' : `; ${taken}`;
  if (notes.includes('copy'))
    return `a copy of another worker's lock; its process ${holder.truePid} belongs there${tail}`;
  if (holder.process === null) {
    const place = reasons.includes('other-namespace')
      ? 'taken in another PID namespace'
      : `taken on another host, ${holder.hostname ?? 'unknown'}`;
    return taken === null ? place : `${place}, ${taken.replace(/^taken /, '')}`;
  }
  return `${whatIsLeft(holder, reasons)}${tail}`;
};

/** `taken 8 h ago`; of a clock that was set back since, `taken 3 min in the future`. Null where the time is not known. */
export const takenAgo = (seconds: number | null): string | null =>
  seconds === null ? null : `taken ${describeAge(seconds)}${seconds < 0 ? '' : ' ago'}`;

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
