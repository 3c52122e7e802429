/** The process that took the lock is still running, but its tmux session or pane is gone: it may work unseen. */
import {
  advice,
  defineCheck,
  type Fix,
  type Snapshot,
  summary,
  townOption,
  type Verdict,
} from '../src/check.ts';

const fixFor = ({ holder, lock }: Verdict, { town }: Snapshot): Fix => {
  const pid = holder?.truePid ?? 0;
  if (holder?.claimedBy != null)
    return advice(`process ${pid} may belong to ${holder.claimedBy} instead; leave it alone`, [
      ['doctor', 'explain', lock.worker, ...townOption(town)],
    ]);
  return advice('check the process; once it exits, --fix can release the lock', [['ps', '-fp', String(pid)]]);
};

export default defineCheck({
  id: 'orphaned-lock',
  title: 'Orphaned locks',
  summary: 'The process that took the lock is still running; its tmux session or pane is gone.',
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
