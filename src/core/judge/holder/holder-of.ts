/** The holder as a verdict names it: what the record says, and what was found of its process and its session. Pure. */
import { paneName } from '../../town/views.ts';
import type { Holder } from '../../types/judgement.ts';
import { ageOf } from '../ages.ts';
import type { Case } from '../case.ts';
import type { SessionFinding } from '../session/session.ts';
import type { ProcessFinding } from './process-finding.ts';
import { tiesOf } from './ties.ts';

/** Who else claims the live process: the worker it plainly belongs to, or another worker whose lock names it as well. */
const claimOn = ({ pid, process }: ProcessFinding, one: Case): string | null => {
  const ties = process === null ? null : tiesOf(process, one);
  if (ties?.mine === true) return ties.claimedBy;
  return ties?.claimedBy ?? one.index.locksNaming(pid).find((other) => other !== one.lock)?.worker ?? null;
};

/** Empty fields of a record become null. */
export const holderOf = (one: Case, process: ProcessFinding | null, session: SessionFinding): Holder => {
  const { record, index } = one;
  const [view] = session.panes;
  const ageMs = ageOf(record.acquiredAtMs, index);
  return {
    pid: record.pid,
    truePid: process?.pid ?? record.holder?.pid ?? record.pid,
    process: process?.state ?? null,
    claimedBy: process?.state === 'alive' ? claimOn(process, one) : null,
    command: process?.process?.names[0] ?? null,
    sessionId: record.sessionId === '' ? null : record.sessionId,
    session: session.state,
    hostname: record.hostname === '' ? null : record.hostname,
    acquiredAt: record.acquiredAt === '' ? null : record.acquiredAt,
    ageSeconds: ageMs === null ? null : Math.round(ageMs / 1000),
    pane: view === undefined ? null : paneName(view),
  };
};
