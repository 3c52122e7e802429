/** Something in the place of a lock that is not a valid lock: every agent that wants to take the lock fails on it. */
import {
  advice,
  defineCheck,
  describeRefusal,
  type Fix,
  isAgents,
  ofKind,
  release,
  sinceAtEnd,
  type Verdict,
} from '../src/check.ts';

const fixFor = (verdict: Verdict): Fix => {
  const { release: allowed, lock } = verdict;
  if (!allowed.allowed && allowed.why === 'no-owner')
    return advice('find out what wrote it; once nothing uses it, remove it yourself', [
      ['ls', '-la', lock.path],
    ]);
  if (allowed.allowed || allowed.why === 'young' || allowed.why === 'outside') return release(verdict);
  if (allowed.why === 'not-a-file') {
    const what = lock.isRegularFile ? 'larger than any lock' : 'not a regular file';
    return advice(`${what}, so nothing is removed; find out what put it there`, [['ls', '-la', lock.path]]);
  }
  if (allowed.why === 'occupied') return advice('an agent is running here; let it take its lock again');
  if (allowed.why === 'tracked') return advice('tracked by git; see tracked-lock');
  return advice(`skipped: ${describeRefusal(verdict, allowed)}`);
};

/** True where its writer may not be finished: many tools make the file first and fill it later. */
const isBeingWritten = ({ lock, release: allowed }: Verdict): boolean =>
  !isAgents(lock) && !allowed.allowed && allowed.why === 'young';

export default defineCheck({
  id: 'invalid-lock',
  title: 'Invalid locks',
  summary: 'Something in the place of a lock that is not a valid one.',
  run: ({ verdicts }) =>
    verdicts
      .filter((verdict) => verdict.state === 'invalid' && !isBeingWritten(verdict))
      .map((verdict) => ({
        severity: 'warning',
        worker: verdict.lock.worker,
        lock: verdict.lock.id,
        message: `${ofKind(verdict)}not a valid lock: ${verdict.facts[0]?.text ?? verdict.reasons.join(', ')}${sinceAtEnd(verdict)}`,
        evidence: verdict.facts,
        fix: fixFor(verdict),
      })),
});
