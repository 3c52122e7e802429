import { advice, defineCheck, doubtOf, summary } from '../src/check.ts';

/** Locks that could not be judged: evidence was missing (doubt), or they belong to another host (information). */
export default defineCheck({
  id: 'undecided-lock',
  title: 'Undecided locks',
  summary: 'Evidence was missing, or the lock was taken on another host: nothing is concluded.',
  reportsDoubt: true,
  run: ({ verdicts }) =>
    verdicts
      .filter(({ state }) => state === 'unknown' || state === 'foreign')
      .map((verdict) => ({
        severity: verdict.state === 'unknown' ? 'warning' : 'info',
        worker: verdict.lock.worker,
        lock: verdict.lock.id,
        message:
          verdict.state === 'unknown'
            ? `cannot tell: ${doubtOf(verdict)}`
            : `not from here: ${summary(verdict)}`,
        evidence: verdict.facts,
        fix: advice(
          verdict.state === 'unknown'
            ? 'make what could not be reached reachable and ask again'
            : 'ask on the host that took it; nothing here can prove it dead',
        ),
      })),
});
