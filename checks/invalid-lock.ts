import { advice, defineCheck, describeRefusal, type Fix, release, type Verdict } from '../src/check.ts';

const fixFor = (verdict: Verdict): Fix => {
  const { release: allowed, lock } = verdict;
  if (allowed.allowed) return release(verdict);
  if (allowed.why === 'not-a-file') {
    const what = lock.isRegularFile ? 'it is larger than any lock' : 'it is no regular file';
    return advice(`${what}, so nothing is removed: look what put it there`, [['ls', '-la', lock.path]]);
  }
  if (allowed.why === 'young')
    return advice(`it may still be being written: ask again in ${allowed.retryInSeconds ?? 30} s`);
  if (allowed.why === 'occupied') return advice('an agent is at work here: let it take its lock again');
  if (allowed.why === 'tracked') return advice('git tracks this file: see tracked-lock');
  return advice(`${describeRefusal(verdict, allowed)}: it is left for now`);
};

/** Something named agent.lock that is no lock record: every acquire trips over it. */
export default defineCheck({
  id: 'invalid-lock',
  title: 'Invalid locks',
  summary: 'A file, or something else, named agent.lock that is no lock record.',
  run: ({ verdicts }) =>
    verdicts
      .filter(({ state }) => state === 'invalid')
      .map((verdict) => ({
        severity: 'warning',
        worker: verdict.lock.worker,
        lock: verdict.lock.id,
        message: `no lock record: ${verdict.facts[0]?.text ?? verdict.reasons.join(', ')}`,
        evidence: verdict.facts,
        fix: fixFor(verdict),
      })),
});
