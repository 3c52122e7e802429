/** Who is behind a lock, in one line of the tree: the agent seen there, or what became of the holder. */
import { groupBy } from '../../core/group-by.ts';
import { count } from '../../core/report/amounts.ts';
import { describeLoss, sinceAtEnd } from '../../core/report/holder-words.ts';
import type { Note } from '../../core/types/judgement.ts';
import type {
  Report,
  ReportAgent,
  ReportCollision,
  ReportLease,
  ReportLock,
} from '../../core/types/report.ts';

/** The notes in words; null for those that the sentence itself tells. */
const NOTE_WORDS: Readonly<Record<Note, string | null>> = {
  drifted: null,
  idle: null,
  copy: null,
  team: null,
  'legacy-path': null,
  'by-hand': null,
  gone: 'its directory is gone',
  priming: 'its agent may still be starting',
  fresh: 'too new for --fix',
  misplaced: "not in a worker's place",
  tracked: 'git tracks it',
  'would-block': 'its PID is in use here',
};

/** Leaves out that its PID is in use here, where the line says already that its holder runs. */
const restOf = ({ notes, state }: ReportLock): string => {
  const isRunning = state === 'held' || state === 'orphaned';
  const rest = notes.filter((note) => !(isRunning && note === 'would-block'));
  return rest
    .flatMap((note) => NOTE_WORDS[note] ?? [])
    .map((words) => `; ${words}`)
    .join('');
};

/** What a report knows of its workers besides their locks, made once for all rows. */
export interface Company {
  readonly agentsAt: (worker: string) => readonly ReportAgent[];
  /** Its live agents, where there are several. */
  readonly crowdAt: (worker: string) => ReportCollision | null;
  /** The other workers whose locks claim the same agent. */
  readonly rivalsOf: (worker: string) => readonly string[];
}

export const companyOf = ({ agents, collisions }: Pick<Report, 'agents' | 'collisions'>): Company => {
  const atWork = groupBy(agents, ({ worker }) => worker);
  const clashesAt = (worker: string, kind: ReportCollision['kind']): readonly ReportCollision[] =>
    collisions.filter((one) => one.kind === kind && one.workers.includes(worker));
  return {
    agentsAt: (worker) => atWork.get(worker) ?? [],
    crowdAt: (worker) => clashesAt(worker, 'agents')[0] ?? null,
    rivalsOf: (worker) => {
      const named = clashesAt(worker, 'claims').flatMap(({ workers }) => workers);
      return [...new Set(named)].filter((other) => other !== worker);
    },
  };
};

/** `claude in gt-crew-ada (%0); taken 2 h ago`; with `verbose` also the recorded process and the time in full. */
export const describeHolder = (lock: ReportLock, company: Company, verbose: boolean): string =>
  lock.kind === 'agent'
    ? describeAgents(lock, company, verbose)
    : `${lock.kind}: ${describeOther(lock, company, verbose)}`;

/** A lock that claims no worker: what it says of its holder, and what became of him. */
const describeOther = (lock: ReportLock, company: Company, verbose: boolean): string => {
  const tail = restOf(lock);
  const [first, second] = lock.evidence;
  if (lock.holder === null) return `${first?.text ?? lock.reasons.join(', ')}${sinceAtEnd(lock)}${tail}`;
  const name = lock.holder.sessionId === null ? '' : `${lock.holder.sessionId}: `;
  if (lock.state === 'held') return `${name}${describeHolding(lock, company.agentsAt(lock.worker))}${tail}`;
  const said = lock.reasons.includes('process-shared') ? second?.text : undefined;
  return `${name}${said === undefined ? describeLoss(lock.holder, lock) : `${said}${sinceAtEnd(lock)}`}${tail}${verbose ? describeRecord(lock.holder) : ''}`;
};

const describeAgents = (lock: ReportLock, company: Company, verbose: boolean): string => {
  const { holder, evidence, reasons } = lock;
  const crowd = company.crowdAt(lock.worker);
  const tail = restOf(lock);
  if (crowd !== null) return `${describeCrowd(crowd)}${tail}`;
  if (holder === null)
    return `not a valid lock: ${evidence[0]?.text ?? reasons.join(', ')}${sinceAtEnd(lock)}${tail}`;
  const rivals = company.rivalsOf(lock.worker);
  return [
    lock.state === 'held' ? describeHolding(lock, company.agentsAt(lock.worker)) : describeLoss(holder, lock),
    rivals.length > 0 ? `, also claimed by ${rivals.join(', ')}` : '',
    tail,
    verbose ? describeRecord(holder) : '',
  ].join('');
};

/** `2 agents: %3, %17`. */
export const describeCrowd = ({ who }: ReportCollision): string => `${who.length} agents: ${who.join(', ')}`;

/** `claude in gt-crew-ada (%0)`, or `claude (pid 4242)` outside tmux. */
export const describeAgent = ({ command, pane, pid }: ReportAgent): string =>
  pane === null ? `${command} (pid ${pid})` : `${command} in ${pane.sessionName} (${pane.id})`;

const describeHolding = (lock: ReportLock, agents: readonly ReportAgent[]): string =>
  `${whoLives(lock, agents)}${sinceAtEnd(lock)}`;

const whoLives = ({ holder, notes }: ReportLock, agents: readonly ReportAgent[]): string => {
  const pane = holder?.pane ?? null;
  const place = pane === null ? '' : `${pane.sessionName} (${pane.id})`;
  if (notes.includes('idle')) return `${pane === null ? 'its session' : place}: its agent has exited`;
  const named = agents.find((agent) => pane !== null && agent.pane?.id === pane.id);
  const shown = named ?? agents[0];
  const others =
    agents.length > 1 && notes.includes('team') ? ` and ${count(agents.length - 1, 'more', 'more')}` : '';
  if (shown !== undefined)
    return `${describeAgent(shown)}${others}${notes.includes('drifted') ? ', not the pane in the lock' : ''}`;
  if (pane !== null) return place;
  if (holder?.process === 'alive')
    return `${holder.command === null ? '' : `${holder.command} `}(pid ${holder.truePid})`.trim();
  return holder?.sessionId ?? 'its session';
};

const describeRecord = ({ pid, process, acquiredAt }: NonNullable<ReportLock['holder']>): string =>
  `; recorded: pid ${pid}${process === null ? '' : ` (${process})`}${acquiredAt === null ? '' : `, ${acquiredAt}`}`;

/** `lease held on mini2 by doctor (pid 4242), since …, epoch 17` */
export const leaseInWords = ({ state, holder, epoch, expires, expiresInSeconds }: ReportLease): string => {
  const who =
    holder === null
      ? 'lease held by another program than doctor'
      : `lease held on ${holder.hostname} by doctor (pid ${holder.pid}), since ${holder.acquiredAt}`;
  const end =
    state === 'stale'
      ? `; its holder is dead, and it expires by itself${expiresInSeconds === null ? '' : ` within ${expiresInSeconds} s`}`
      : expires
        ? ''
        : '; it was written by hand and never expires';
  return `${who}, epoch ${epoch}${end}`;
};
