/** Stories about a lock's path, its origin and its surroundings. */
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

/** A regular file with this content, read as the doctor reads it. */
const torn = (name: string, text: string, fields: Partial<LockFile> = {}): LockFile =>
  aLock(polecat(name), {}, { content: parseLockRecord(new TextEncoder().encode(text)), ...fields });

/** Something that was examined but not read. */
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

/** Polecats whose agent.lock is not a lock record. */
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
    summary: 'Three agents work in their own panes.',
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
    summary: 'No lock and no tmux: nothing is in doubt.',
    snapshot: aSnapshot({ lookups: [], over: { tmux: { installed: false, servers: [], enumerated: true } } }),
    locks: {},
    findings: [],
    exit: 0,
  },
  {
    name: 'plain-directory-tree',
    summary: 'No Gas Town, only a directory tree with one live and one dead lock of ours.',
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
    summary:
      'A container took the lock; its PID is also in use here, which proves nothing but blocks other tools.',
    snapshot: aSnapshot({ locks: [aLock(ADA, { hostname: '4e449adbac66' })], lookups: [present(4242)] }),
    locks: { [ADA]: 'foreign would-block' },
    findings: [`undecided-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'former-host',
    summary:
      'The configuration names a former host: its dead lock is stale, and the one with a live session is held.',
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
    summary: 'Same host name, another PID namespace: foreign.',
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
    summary:
      'We run in a container and reached no tmux server: a process that is missing here may run outside.',
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
    summary: 'The same Mac on two networks: mac.lan then, Mac.local now.',
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
    summary:
      'git tracks the lock, which came with a clone: it is never removed, and reported as stale and as tracked.',
    snapshot: aSnapshot({ locks: [aLock(ADA, {}, { git: git({ tracked: { seen: true, value: true } }) })] }),
    locks: { [ADA]: 'stale tracked' },
    findings: [`stale-lock:${ADA}`, `tracked-lock:${ADA}`],
    exit: 1,
  },
  {
    name: 'unignored',
    summary: 'A healthy lock that the next git add would pick up.',
    snapshot: aSnapshot({
      locks: [
        aLock(
          ADA,
          {},
          { git: git({ ignored: { seen: true, value: false }, exclude: at(`${ADA}/.git/info/exclude`) }) },
        ),
      ],
      servers: [aServer([aPane()])],
    }),
    locks: { [ADA]: 'held' },
    findings: [`tracked-lock:${ADA}`],
    exit: 0,
  },
  {
    name: 'git-unanswered',
    summary: 'There is a repository, but git refuses to answer: the stale lock is left.',
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
    summary: 'One agent has a lock in its worktree and one in the directory above, both with the same pane.',
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
    summary: 'cp -r of a worker: the original is held, the copy is stale.',
    snapshot: aSnapshot({ locks: [aLock(ADA), aLock(BOB)], servers: [aServer([aPane()])] }),
    locks: { [ADA]: 'held', [BOB]: 'stale copy' },
    findings: [`stale-lock:${BOB}`],
    exit: 1,
  },
  {
    name: 'copied-from-live-process',
    summary:
      'cp -r of a worker whose holder is alive in the original: the copy is stale, and tools that only check the PID refuse both.',
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
    summary: "A lock in a subdirectory of a worker, which was the command's working directory.",
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
    summary: 'None of these files is a lock record; only regular files that are old enough can be released.',
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
    summary: 'A torn lock file, and an agent that works beside it.',
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
    summary: 'The lock file cannot be read, so it is neither invalid nor judged.',
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
    summary:
      'One worker belongs to another user and cannot be entered: no problem was seen, but not everything was.',
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
    summary:
      "A symlink, a FIFO and another user's directory take the places of lock directories: each may hide a live lock.",
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
    summary: 'One lock is certainly stale and one directory could not be entered: problems outrank doubt.',
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
    summary: 'A record of ours: its PID is dead by design, and the real holder in its own fields is alive.',
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
    summary:
      'The real holder is dead by its start token, although its PID was reused and its session still exists.',
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
    summary:
      'A Gas Town hook overwrote the lock; the second record beside it names the real holder, which is alive.',
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
    summary: 'The record was written before the last boot of this machine; another process has its PID now.',
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
    summary: 'Runtime state was left in .gastown/, including a lock; one target already exists.',
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
    summary:
      'A worker has a lock at the legacy path and one at the current path: each is judged and has its own ID.',
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
    summary: 'Killed writers left files; kept copies and files that are still young are not debris.',
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
    summary:
      'rigs.json is missing and the prefix of a rig is unknown: sessions are recognized by the pattern of their names.',
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
    summary: 'joe of rig beads works in a worktree inside rig gastown, under his own session.',
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
    summary: 'The town has a symlink: panes whose GT_ROOT is the symlink are ours.',
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
