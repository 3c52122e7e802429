/** Stories about where a lock lies, where it comes from and what lies around it. */
import { parseLockRecord } from '../../../src/core/record/lock-record.ts';
import type { GitFacts, LockFile, LockProblem, TrueHolder } from '../../../src/core/types/evidence.ts';
import {
  absent,
  aLock,
  aPane,
  aProcess,
  aServer,
  aSnapshot,
  BOOT,
  INITIAL_NAMESPACE,
  NOW,
  present,
  withMachine,
} from '../snapshot.ts';
import { ADA, at, BOB, NUX, type Story, shellPane } from './story.ts';

const git = (facts: Partial<GitFacts>): GitFacts => ({
  tracked: { seen: true, value: false },
  ignored: { seen: true, value: true },
  repository: at(ADA),
  ...facts,
});

const polecat = (name: string): string => `gastown/polecats/${name}`;

/** A regular file with these bytes, read as the doctor reads it. */
const torn = (name: string, text: string, fields: Partial<LockFile> = {}): LockFile =>
  aLock(polecat(name), {}, { content: parseLockRecord(new TextEncoder().encode(text)), ...fields });

/** Something that was looked at and not read. */
const unlike = (
  name: string,
  problem: LockProblem,
  detail: string,
  fields: Partial<LockFile> = {},
): LockFile =>
  aLock(
    polecat(name),
    {},
    { content: { kind: 'invalid', problem, detail }, isRegularFile: false, stamp: null, ...fields },
  );

const holder: TrueHolder = {
  pid: 5151,
  startToken: '5000',
  bootId: BOOT,
  pidNamespace: INITIAL_NAMESPACE,
  nonce: '6f2d1c',
};

const beside = (worker: string, name: string) => ({ worker, path: `${at(worker)}/.runtime/${name}` });

/** Polecats whose agent.lock is no lock record. */
const INVALID = [
  'bom',
  'device',
  'directory',
  'empty',
  'fifo',
  'huge',
  'socket',
  'symlink',
  'text-pid',
  'text-time',
  'truncated',
];

export const PLACE_STORIES: readonly Story[] = [
  {
    name: 'healthy-town',
    tells: 'Three agents work in their own panes.',
    snapshot: aSnapshot({
      locks: [
        aLock(ADA, { pid: 4242, sessionId: '%3' }),
        aLock(BOB, { pid: 4243, sessionId: '%4' }),
        aLock(`${NUX}/gastown`, { pid: 4244, sessionId: '%5' }),
      ],
      lookups: [absent(4242), absent(4243), absent(4244)],
      servers: [
        aServer([
          aPane(),
          aPane({ id: '%4', sessionId: '$2', sessionName: 'gt-crew-bob', pid: 701, path: at(BOB) }),
          aPane({ id: '%5', sessionId: '$3', sessionName: 'gt-nux', pid: 702, path: at(`${NUX}/gastown`) }),
        ]),
      ],
    }),
    locks: { [ADA]: 'held', [BOB]: 'held', [`${NUX}/gastown`]: 'held' },
    findings: [],
    exit: 0,
  },
  {
    name: 'empty-town',
    tells: 'No lock anywhere, no tmux installed: nothing to doubt.',
    snapshot: aSnapshot({ lookups: [], over: { tmux: { installed: false, servers: [], enumerated: true } } }),
    locks: {},
    findings: [],
    exit: 0,
  },
  {
    name: 'plain-directory-tree',
    tells: 'No Gas Town at all, just a tree with one live and one dead lock of ours.',
    snapshot: (() => {
      const locks = [
        aLock('jobs/build', { sessionId: '', pid: 4242 }),
        aLock('jobs/deploy', { sessionId: '', pid: 4243 }),
      ];
      const base = aSnapshot({
        locks,
        lookups: [present(4242, { names: ['make'] }), absent(4243)],
      });
      return { ...base, town: { ...base.town, marked: false, rigs: [], workers: [] } };
    })(),
    locks: { 'jobs/build': 'held would-block', 'jobs/deploy': 'stale' },
    findings: ['stale-lock:jobs/deploy'],
    exit: 1,
  },
  {
    name: 'container-lock',
    tells:
      'A container took the lock; its number happens to be alive here, which means nothing and blocks other tools.',
    snapshot: aSnapshot({ locks: [aLock(ADA, { hostname: '4e449adbac66' })], lookups: [present(4242)] }),
    locks: { [ADA]: 'foreign would-block' },
    findings: [`undecided-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'former-host',
    tells:
      'The configuration says that these names are gone for good: the dead one is stale, what stands is held.',
    snapshot: (() => {
      const gone = { hostname: '4e449adbac66' };
      const base = aSnapshot({
        locks: [
          aLock(ADA, { ...gone, sessionId: '' }),
          aLock('gastown/crew/bob', { ...gone, sessionId: '%7' }),
        ],
        lookups: [present(4242, { cwd: { seen: true, value: '/home/user' } })],
        servers: [aServer([aPane({ id: '%7', sessionName: 'gt-crew-bob', path: at('gastown/crew/bob') })])],
      });
      return { ...base, town: { ...base.town, formerHosts: ['4E449ADBAC66'] } };
    })(),
    locks: { [ADA]: 'stale would-block', 'gastown/crew/bob': 'held would-block' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'other-namespace',
    tells: 'Same host name, another PID namespace: foreign.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { holder: { ...holder, pidNamespace: 'pid:[4026532001]' } })],
      lookups: [absent(5151)],
    }),
    locks: { [ADA]: 'foreign' },
    findings: [`undecided-lock:${ADA}`],
    exit: 0,
  },
  {
    name: 'inside-a-container',
    tells: 'We run in a container and reached no tmux: a number that is missing here may live outside.',
    snapshot: (() => {
      const base = aSnapshot({ locks: [aLock(ADA)] });
      const host = { ...base.machine.host, pidNamespace: 'pid:[4026532001]', initialPidNamespace: false };
      return withMachine(base, { host });
    })(),
    locks: { [ADA]: 'unknown' },
    findings: [`undecided-lock:${ADA}`],
    exit: 22,
  },
  {
    name: 'host-drift',
    tells: 'The same Mac under two networks: mac.lan then, Mac.local now.',
    snapshot: (() => {
      const base = aSnapshot({ locks: [aLock(ADA, { hostname: 'mac.lan' })] });
      return withMachine(base, {
        host: {
          ...base.machine.host,
          hostname: 'Mac.local',
          platform: 'darwin',
          bootId: null,
          pidNamespace: null,
          initialPidNamespace: true,
        },
      });
    })(),
    locks: { [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'tracked',
    tells:
      'git tracks the lock that a clone carried along: it is never removed, and said once as stale and once as tracked.',
    snapshot: aSnapshot({ locks: [aLock(ADA, {}, { git: git({ tracked: { seen: true, value: true } }) })] }),
    locks: { [ADA]: 'stale tracked' },
    findings: [`stale-lock:${ADA}`, `tracked-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'unignored',
    tells: 'A healthy lock that the next git add would pick up.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, {}, { git: git({ ignored: { seen: true, value: false } }) })],
      servers: [aServer([aPane()])],
    }),
    locks: { [ADA]: 'held' },
    findings: [`tracked-lock:${ADA}`],
    exit: 0,
  },
  {
    name: 'git-unanswered',
    tells: 'There is a repository, and git refuses to speak of it: the stale lock is left.',
    snapshot: aSnapshot({
      locks: [
        aLock(
          ADA,
          {},
          {
            git: git({
              tracked: { seen: false, why: 'dubious ownership' },
              ignored: { seen: false, why: 'dubious ownership' },
            }),
          },
        ),
      ],
      over: { gaps: [{ what: `git:${at(ADA)}`, why: 'dubious ownership' }] },
    }),
    locks: { [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'worker-and-parent',
    tells: 'One agent has a lock in its worktree and one in the directory above, both naming one pane.',
    snapshot: aSnapshot({
      locks: [aLock(NUX), aLock(`${NUX}/gastown`, { pid: 4243 })],
      lookups: [absent(4242), absent(4243)],
      servers: [aServer([aPane({ sessionName: 'gt-nux', path: at(`${NUX}/gastown`) })])],
    }),
    locks: { [NUX]: 'held', [`${NUX}/gastown`]: 'held' },
    findings: [],
    exit: 0,
  },
  {
    name: 'copied-worker',
    tells: 'cp -r of a worker: the original is held, the copy is stale.',
    snapshot: aSnapshot({ locks: [aLock(ADA), aLock(BOB)], servers: [aServer([aPane()])] }),
    locks: { [ADA]: 'held', [BOB]: 'stale copy' },
    findings: [`stale-lock:${BOB}`],
    exit: 1,
  },
  {
    name: 'copied-from-live-process',
    tells:
      'cp -r of a worker whose holder lives: it works at the original, so the copy is stale, and a number-only tool refuses both.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: '' }), aLock(BOB, { sessionId: '' })],
      lookups: [present(4242, { names: ['my-agent'], cwd: { seen: true, value: at(ADA) } })],
    }),
    locks: { [ADA]: 'held would-block', [BOB]: 'stale copy would-block' },
    findings: [`stale-lock:${BOB}`],
    exit: 1,
  },
  {
    name: 'misplaced',
    tells: "A lock in a sub-directory of a worker, where the command's working directory was.",
    snapshot: aSnapshot({
      locks: [aLock(`${ADA}/packages/web`)],
      servers: [aServer([aPane({ path: at(`${ADA}/packages/web`) })])],
    }),
    locks: { [`${ADA}/packages/web`]: 'held misplaced' },
    findings: [],
    exit: 0,
  },
  {
    name: 'invalid-kinds',
    tells: 'Nothing here is a lock record; only regular files of some age can be released.',
    snapshot: aSnapshot({
      locks: [
        torn('bom', '\uFEFF{"pid": 1}'),
        unlike('device', 'device', 'it is a device'),
        unlike('directory', 'directory', 'it is a directory'),
        torn('empty', ''),
        unlike('fifo', 'fifo', 'it is a named pipe'),
        unlike('huge', 'too-large', '70000 bytes, a record has some 200', { isRegularFile: true }),
        unlike('socket', 'socket', 'it is a socket'),
        unlike('symlink', 'symlink', 'it is a symbolic link, and those are not followed'),
        torn('text-pid', '{"pid": "12"}'),
        torn('text-time', '{"pid": 12, "acquired_at": "yesterday"}'),
        torn('truncated', '{"pid": 12, "acquired_', { mtimeMs: NOW - 12_000 }),
      ],
      lookups: [],
    }),
    locks: Object.fromEntries(INVALID.map((name) => [`gastown/polecats/${name}`, 'invalid'])),
    findings: INVALID.map((name) => `invalid-lock:gastown/polecats/${name}`),
    exit: 1,
  },
  {
    name: 'invalid-occupied',
    tells: 'A torn lock file, and the agent at work beside it.',
    snapshot: aSnapshot({
      locks: [torn('nux', '')],
      lookups: [],
      servers: [aServer([aPane({ sessionName: 'gt-nux', path: at(NUX) })])],
    }),
    locks: { [NUX]: 'invalid' },
    findings: [`invalid-lock:${NUX}`],
    exit: 1,
  },
  {
    name: 'unreadable-lock',
    tells: 'The lock file may not be read: not invalid, not judged.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, {}, { content: { kind: 'unread', why: 'permission denied' }, stamp: null })],
      lookups: [],
      over: { gaps: [{ what: `lock:${at(ADA)}/.runtime/agent.lock`, why: 'permission denied' }] },
    }),
    locks: { [ADA]: 'unknown' },
    findings: [`undecided-lock:${ADA}`],
    exit: 22,
  },
  {
    name: 'unreadable-directory',
    tells:
      'One worker belongs to somebody else and cannot be entered: nothing bad was seen, not everything was seen.',
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      servers: [aServer([aPane()])],
      over: { gaps: [{ what: `directory:${at('gastown/crew/eve')}`, why: 'permission denied' }] },
    }),
    locks: { [ADA]: 'held' },
    findings: [],
    exit: 22,
  },
  {
    name: 'closed-homes',
    tells:
      'Where locks belong stand a link, a FIFO and a directory of somebody else: a live lock may lie behind each of them.',
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      over: {
        gaps: [
          {
            what: `directory:${at('gastown/crew/bob')}/.runtime`,
            why: 'it is a symbolic link and is not followed',
            home: 'symlink',
          },
          {
            what: `directory:${at('gastown/crew/eve')}/.runtime`,
            why: 'permission denied',
            home: 'directory',
          },
          {
            what: `directory:${at(ADA)}/.gastown`,
            why: 'something else than a directory stands there',
            home: 'other',
          },
        ],
      },
    }),
    locks: { [ADA]: 'stale' },
    findings: [
      `stale-lock:${ADA}`,
      'undecided-lock:gastown/crew/bob/.runtime',
      'undecided-lock:gastown/crew/eve/.runtime',
      `undecided-lock:${ADA}/.gastown`,
    ],
    exit: 1,
  },
  {
    name: 'problem-and-doubt',
    tells: 'One lock is stale for certain and one directory could not be entered: problems outrank doubt.',
    snapshot: aSnapshot({
      locks: [aLock(ADA)],
      over: { gaps: [{ what: `directory:${at('gastown/crew/eve')}`, why: 'permission denied' }] },
    }),
    locks: { [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'own-record-live',
    tells: 'A record of ours: the number in it has ended by design, the true holder in its own fields lives.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: '', holder })],
      lookups: [absent(4242), present(5151, { names: ['sleep'] })],
    }),
    locks: { [ADA]: 'held' },
    findings: [],
    exit: 0,
  },
  {
    name: 'own-record-dead',
    tells:
      'The true holder is dead by its token, whatever its number is now and although its session stands empty.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { holder })],
      lookups: [absent(4242), present(5151, { names: ['claude'], startToken: '777777' })],
      servers: [aServer([shellPane()])],
    }),
    locks: { [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'companion-record',
    tells:
      'A Gas Town hook overwrote the lock; the second record beside it keeps the true holder, who lives.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { sessionId: '' }, { companion: holder })],
      lookups: [absent(4242), present(5151, { names: ['sleep'] })],
    }),
    locks: { [ADA]: 'held' },
    findings: [],
    exit: 0,
  },
  {
    name: 'rebooted',
    tells:
      'The record was written in an earlier boot of this machine; its number runs again, as somebody else.',
    snapshot: aSnapshot({
      locks: [aLock(ADA, { holder: { ...holder, bootId: 'b0070000-0000-4000-8000-00000000dead' } })],
      lookups: [present(4242), present(5151)],
    }),
    locks: { [ADA]: 'stale would-block' },
    findings: [`stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'legacy-layout',
    tells: 'Runtime state was left in .gastown/, a lock among it; one target exists already.',
    snapshot: aSnapshot({
      locks: [
        aLock(ADA, {}, { layout: 'legacy', path: `${at(ADA)}/.gastown/agent.lock` }),
        aLock(BOB, { pid: 4243, sessionId: '%4' }),
      ],
      lookups: [absent(4242), absent(4243)],
      servers: [aServer([aPane({ id: '%4', sessionName: 'gt-crew-bob', path: at(BOB) })])],
      over: {
        legacy: [
          { from: '.gastown/costs.json', to: '.runtime/costs.json', targetExists: false, isDirectory: false },
          {
            from: 'gastown/.gastown/config.json',
            to: 'gastown/settings/config.json',
            targetExists: true,
            isDirectory: false,
          },
        ],
      },
    }),
    locks: { [ADA]: 'stale legacy-path', [BOB]: 'held' },
    findings: [
      `stale-lock:${ADA}`,
      'legacy-layout:.gastown/costs.json',
      'legacy-layout:gastown/.gastown/config.json',
    ],
    exit: 1,
  },
  {
    name: 'two-layouts',
    tells:
      'A worker has a lock at the old place and one at the new: each is judged, and known by its own id.',
    snapshot: aSnapshot({
      locks: [
        aLock(
          ADA,
          {},
          { id: `agent:${ADA}#legacy`, layout: 'legacy', path: `${at(ADA)}/.gastown/agent.lock` },
        ),
        aLock(ADA, { pid: 4243 }),
      ],
      lookups: [absent(4242), absent(4243)],
    }),
    locks: { [`${ADA}#legacy`]: 'stale legacy-path', [ADA]: 'stale' },
    findings: [`stale-lock:${ADA}#legacy`, `stale-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'debris',
    tells: 'Killed writers left files; kept copies and files that are still young are no debris.',
    snapshot: aSnapshot({
      lookups: [],
      over: {
        leftovers: [
          { ...beside(ADA, 'agent.lock.tmp'), kind: 'tmp', mtimeMs: NOW - 600_000 },
          { ...beside(ADA, 'agent.lock.000000000000001f.new'), kind: 'new', mtimeMs: NOW - 600_000 },
          { ...beside(BOB, 'agent.lock.000000000000002e.old'), kind: 'old', mtimeMs: NOW - 600_000 },
          {
            ...beside(BOB, 'agent.lock.released-20261101T120000Z-00000a-1'),
            kind: 'released',
            mtimeMs: NOW - 600_000,
          },
          { ...beside(NUX, 'agent.lock.tmp'), kind: 'tmp', mtimeMs: NOW - 5000 },
        ],
      },
    }),
    locks: {},
    findings: [
      `lock-debris:${ADA}/.runtime/agent.lock.tmp`,
      `lock-debris:${ADA}/.runtime/agent.lock.000000000000001f.new`,
      `lock-debris:${BOB}/.runtime/agent.lock.000000000000002e.old`,
    ],
    exit: 1,
  },
  {
    name: 'rigs-unknown',
    tells: 'rigs.json is missing and the prefix of a rig unknown: session names are told by their shape.',
    snapshot: (() => {
      const base = aSnapshot({
        locks: [aLock('reactor/crew/ada')],
        servers: [aServer([aPane({ sessionName: 're-crew-ada', path: at('reactor/crew/ada') })])],
      });
      return { ...base, town: { ...base.town, rigs: [], workers: ['reactor/crew/ada'] } };
    })(),
    locks: { 'reactor/crew/ada': 'held' },
    findings: [],
    exit: 0,
  },
  {
    name: 'cross-rig-worktree',
    tells: 'joe of rig beads works in a worktree inside rig gastown, under his own session.',
    snapshot: (() => {
      const worker = 'gastown/crew/beads-joe';
      const base = aSnapshot({
        locks: [aLock(worker)],
        servers: [aServer([aPane({ sessionName: 'bd-crew-joe', path: at(worker) })])],
        processes: [aProcess(700, { ppid: 600 })],
      });
      const rigs = [
        { name: 'gastown', prefix: 'gt' },
        { name: 'beads', prefix: 'bd' },
      ];
      return { ...base, town: { ...base.town, rigs, workers: [worker, 'beads/crew/joe'] } };
    })(),
    locks: { 'gastown/crew/beads-joe': 'held' },
    findings: [],
    exit: 0,
  },
  {
    name: 'aliased-root',
    tells: 'The town is a symlink: panes that say GT_ROOT by its other name are ours.',
    snapshot: (() => {
      const base = aSnapshot({
        locks: [aLock(ADA, { sessionId: '%55' })],
        servers: [
          aServer(
            [aPane({ path: '/home', environment: { GT_ROOT: '/home/u/gt', GT_ROLE: 'gastown/crew/ada' } })],
            { origin: 'default' },
          ),
        ],
      });
      return { ...base, town: { ...base.town, aliases: ['/home/u/gt'] } };
    })(),
    locks: { [ADA]: 'held drifted' },
    findings: [],
    exit: 0,
  },
];
