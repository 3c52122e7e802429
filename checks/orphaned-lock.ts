import { advice, defineCheck, type Fix, type Snapshot, summary, type Verdict } from '../src/check.ts';

const fixFor = ({ holder, lock }: Verdict, { town: { root } }: Snapshot): Fix => {
  const pid = holder?.truePid ?? 0;
  if (holder?.claimedBy != null)
    return advice(
      `process ${pid} is at work for ${holder.claimedBy}, and most likely did not take this lock: leave it alone`,
      [['doctor', 'explain', lock.worker, '--town', root]],
    );
  return advice('look at the process first; when it has ended the lock is stale and --fix releases it', [
    ['ps', '-fp', String(pid)],
  ]);
};

/** The holding process lives, but the tmux session or pane it named is gone: somebody works where nobody looks. */
export default defineCheck({
  id: 'orphaned-lock',
  title: 'Orphaned locks',
  summary: 'The holding process lives; the tmux session or pane it names is gone.',
  run: ({ verdicts, snapshot }) =>
    verdicts
      .filter(({ state }) => state === 'orphaned')
      .map((verdict) => ({
        severity: 'warning',
        worker: verdict.lock.worker,
        lock: verdict.lock.id,
        message: summary(verdict),
        evidence: verdict.facts,
        fix: fixFor(verdict, snapshot),
      })),
});
