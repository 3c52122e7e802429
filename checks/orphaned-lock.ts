import { advice, defineCheck, summary } from '../src/check.ts';

/** The holding process lives, but the tmux session or pane it named is gone: somebody works where nobody looks. */
export default defineCheck({
  id: 'orphaned-lock',
  title: 'Orphaned locks',
  summary: 'The holding process lives; the tmux session or pane it names is gone.',
  run: ({ verdicts }) =>
    verdicts
      .filter(({ state }) => state === 'orphaned')
      .map((verdict) => ({
        severity: 'warning',
        worker: verdict.lock.worker,
        lock: verdict.lock.id,
        message: summary(verdict),
        evidence: verdict.facts,
        fix: advice('look at the process first; when it has ended the lock is stale and --fix releases it', [
          ['ps', '-fp', String(verdict.holder?.truePid ?? 0)],
        ]),
      })),
});
