/** What is worth knowing about a lock besides its state: its notes, and what git says of it. They do not decide. Pure. */
import { claimsWorker } from '../town/lock-rules.ts';
import type { TownIndex, WorkerView } from '../town/views.ts';
import type { LockFile } from '../types/evidence.ts';
import type { Fact, Note } from '../types/judgement.ts';
import type { Case } from './case.ts';
import { hasDied } from './decide.ts';
import type { ProcessFinding } from './holder/process-finding.ts';
import { isTracked } from './may-release.ts';
import type { OccupantFinding } from './occupants/occupants.ts';
import { partiesOf } from './occupants/parties.ts';
import { namingOf } from './session/naming.ts';
import type { SessionFinding } from './session/session.ts';

/** Notes about where the lock lies. */
export const placeNotes = (lock: LockFile, worker: WorkerView, index: TownIndex): Note[] => {
  const notes: Note[] = [];
  if (claimsWorker(lock) && index.snapshot.town.marked && worker.owner?.canonical !== true)
    notes.push('misplaced');
  if (isTracked(lock)) notes.push('tracked');
  if (lock.layout === 'legacy') notes.push('legacy-path');
  return notes;
};

/** True where an occupant is in another pane than the lock names: the agent moved and its lock still has the old pane. */
export const isDrifted = (
  { record: { sessionId } }: Case,
  session: SessionFinding,
  around: OccupantFinding,
): boolean => {
  const naming = namingOf(sessionId);
  if (around.occupants.length === 0 || naming === 'none' || naming === 'identity') return false;
  const named = new Set(session.panes.map((view) => view.key));
  return !around.occupants.some(
    ({ key, pane }) => named.has(key) || (naming === 'name' && pane?.sessionName === sessionId),
  );
};

/** True where several agents work together. */
export const isTeam = ({ occupants }: OccupantFinding, { index }: Case): boolean =>
  occupants.length > 1 && partiesOf(occupants, index).some(({ agents }) => agents > 1);

/** True where the named pane or session is open, its agent is known to be gone, and nobody works in it or around it. */
export const isIdle = (
  process: ProcessFinding | null,
  session: SessionFinding,
  around: OccupantFinding,
): boolean =>
  process !== null &&
  hasDied(process.state) &&
  session.state === 'live' &&
  session.panes.every(({ idle }) => idle) &&
  around.known &&
  around.occupants.length === 0;

/** What git says of a lock; nothing where it does not track the file, or was not asked. */
export const gitFact = ({ git }: LockFile): readonly Fact[] => {
  if (git === null) return [];
  if (!git.tracked.seen)
    return [{ source: 'git', text: `git could not say whether it tracks the lock: ${git.tracked.why}` }];
  return git.tracked.value ? [{ source: 'git', text: 'git tracks this lock file' }] : [];
};
