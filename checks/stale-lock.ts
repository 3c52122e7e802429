import { advice, defineCheck, type Fix, release, summary, type Verdict } from '../src/check.ts';

const fixFor = (verdict: Verdict): Fix => {
  const { release: allowed } = verdict;
  if (allowed.allowed || allowed.why !== 'tracked-unknown') return release(verdict);
  return advice(
    'git could not say whether it tracks this lock, so it is not released; make git answer there first',
    [['git', '-C', verdict.lock.path.replace(/\/[^/]+\/agent\.lock$/, ''), 'status']],
  );
};

/** A lock whose holder is proven gone: nobody works here, and nobody else may start. */
export default defineCheck({
  id: 'stale-lock',
  title: 'Stale locks',
  summary: 'The holder is proven gone; the lock only keeps others out.',
  run: ({ verdicts }) =>
    verdicts
      .filter(({ state }) => state === 'stale')
      .map((verdict) => ({
        severity: 'warning',
        worker: verdict.lock.worker,
        lock: verdict.lock.id,
        message: summary(verdict),
        evidence: verdict.facts,
        fix: fixFor(verdict),
      })),
});
