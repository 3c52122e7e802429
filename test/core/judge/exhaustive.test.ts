/**
 * The judge over all combinations of evidence. Two promises, stated independently of the judge: an automatic
 * release implies no sign of life, no doubt and no foreign host; and forgetting any one piece of evidence never
 * turns "leave it" into "release it".
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type {
  GitFacts,
  HostFacts,
  LockFile,
  PidLookup,
  ProcessInfo,
  Snapshot,
  TmuxServer,
} from '../../../src/core/types/evidence.ts';
import {
  absent,
  aLock,
  aPane,
  aProcess,
  aServer,
  aSnapshot,
  BOOT,
  HOUR,
  INITIAL_NAMESPACE,
  NOW,
  present,
  ROOT,
  withMachine,
} from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const HOME = `${ROOT}/${ADA}`;

/** One value of a dimension of evidence, and what it means to a human. */
interface Option<T> {
  readonly value: T;
  /** A live agent of this worker is clearly visible. */
  readonly life?: boolean;
  /** Something could not be looked at, or contradicts itself. */
  readonly doubt?: boolean;
  readonly foreign?: boolean;
}

const holder = { pid: 4242, startToken: '5000', bootId: BOOT, pidNamespace: INITIAL_NAMESPACE, nonce: 'n' };

const records: readonly Option<{ record: Parameters<typeof aLock>[1]; own: boolean }>[] = [
  { value: { record: {}, own: false } },
  { value: { record: { hostname: '' }, own: false } },
  { value: { record: { hostname: 'elsewhere' }, own: false }, foreign: true },
  { value: { record: { acquiredAt: '', acquiredAtMs: null }, own: false } },
  { value: { record: { holder }, own: true } },
  { value: { record: { holder, hostname: 'renamed' }, own: true } },
  {
    value: { record: { holder: { ...holder, pidNamespace: 'pid:[4026532001]' } }, own: true },
    foreign: true,
  },
  { value: { record: { holder: { ...holder, bootId: 'elsewhere' }, hostname: '' }, own: true }, doubt: true },
];

const names = ['%3', '$1', 'gt-crew-ada', 'gastown/ada', ''];

const lookups: readonly Option<PidLookup | null>[] = [
  { value: absent(4242) },
  { value: { ...absent(4242), answer: 'zombie', signalable: true } },
  { value: { ...absent(4242), answer: 'thread', signalable: true } },
  { value: present(4242, { names: ['sleep'], startToken: '5000' }), life: true },
  { value: present(4242, { names: ['claude'], startedAtMs: NOW - HOUR, startToken: '5000' }), life: true },
  { value: present(4242, { names: [], startedAtMs: NOW - HOUR, startToken: null }), life: true },
  { value: present(4242, { names: ['firefox'], startedAtMs: null, startToken: null }), life: true },
  { value: { ...absent(4242), answer: 'unknown', why: 'EIO' }, doubt: true },
  { value: null, doubt: true },
  { value: present(4242, { names: ['firefox'], startedAtMs: NOW - HOUR, startToken: '9999' }) },
];

const bash = { command: 'bash' } as const;
const servers: readonly Option<{ readonly installed: boolean; readonly list: readonly TmuxServer[] }>[] = [
  { value: { installed: true, list: [] } },
  { value: { installed: true, list: [aServer([])] } },
  { value: { installed: true, list: [aServer([aPane()])] }, life: true },
  { value: { installed: true, list: [aServer([aPane({ id: '%9', sessionId: '$9' })])] }, life: true },
  {
    value: {
      installed: true,
      list: [aServer([aPane({ ...bash, sessionName: 'gt-crew-bob', path: `${ROOT}/gastown/crew/bob` })])],
    },
  },
  {
    value: {
      installed: true,
      list: [
        aServer([
          aPane({
            ...bash,
            sessionName: 'gt-crew-bob',
            path: HOME,
            environment: { GT_ROLE: 'gastown/crew/ada' },
          }),
        ]),
      ],
    },
  },
  { value: { installed: true, list: [aServer([aPane({ ...bash, dead: true })])] } },
  {
    value: {
      installed: true,
      list: [aServer([aPane({ ...bash, sessionName: 'main', path: '/home' })], { startedAtMs: NOW - HOUR })],
    },
  },
  {
    value: {
      installed: true,
      list: [aServer([aPane({ ...bash, sessionName: 'main', path: null })], { origin: 'default' })],
    },
  },
  {
    value: { installed: true, list: [aServer([], { status: 'failed', reason: 'did not answer' })] },
    doubt: true,
  },
  {
    value: { installed: true, list: [aServer([]), aServer([], { status: 'failed', origin: 'process' })] },
    doubt: true,
  },
  { value: { installed: false, list: [aServer([], { status: 'failed', origin: 'process' })] }, doubt: true },
  // No tmux server runs, so tmux need not be installed, as long as all processes are listed.
  { value: { installed: false, list: [] } },
];

/** A session that its tool's registry places in the worker, whatever its command name and working directory. */
const IN_HOME = { tool: 'claude', name: null, status: null, cwd: HOME };

const around: readonly Option<readonly ProcessInfo[]>[] = [
  { value: [] },
  { value: [aProcess(800, { cwd: { seen: true, value: HOME } })], life: true },
  { value: [aProcess(800, { cwd: { seen: true, value: '/home' } })] },
  {
    value: [aProcess(800, { cwd: { seen: true, value: '/home' }, names: ['x'], registered: IN_HOME })],
    life: true,
  },
  { value: [aProcess(800, { cwd: { seen: false, why: 'EACCES' } })], doubt: true },
];

const here = { cwd: { seen: true, value: HOME } } as const;

/** Programs in the worker other than known agents. */
const programs: readonly Option<readonly ProcessInfo[]>[] = [
  { value: [aProcess(800, { ...here, names: ['kiro-thing'] })], doubt: true },
  { value: [aProcess(800, { ...here, names: ['kiro-thing'], inForeground: true })], doubt: true },
  { value: [aProcess(800, { ...here, names: [] })], doubt: true },
  { value: [aProcess(800, { ...here, names: ['node', 'server.js', 'server'] })], doubt: true },
  { value: [aProcess(800, { ...here, names: ['node', 'server.js', 'server'], leftBehind: true })] },
  { value: [aProcess(800, { ...here, names: ['vim'], inForeground: true })] },
  { value: [aProcess(800, { ...here, role: { class: 'infrastructure', why: 'a daemon' } })] },
  {
    value: [aProcess(800, { ...here, names: ['wen'], environment: { GT_PROCESS_NAMES: 'wen,bun' } })],
    life: true,
  },
  {
    value: [
      aProcess(800, {
        ...here,
        names: ['kiro-thing'],
        leftBehind: true,
        registered: { tool: 'kiro', name: null, status: 'busy', cwd: HOME },
      }),
    ],
    life: true,
  },
];

/** A pane of this worker with an unknown program. */
const unknownPane: (typeof servers)[number] = {
  value: {
    installed: true,
    list: [aServer([aPane({ id: '%8', sessionId: '$8', sessionName: 'main', command: 'kiro-thing' })])],
  },
  doubt: true,
};

const listings: readonly Option<Snapshot['machine']['processes']['listing']>[] = [
  { value: { seen: true, value: 'all' } },
  { value: { seen: true, value: 'own' } },
  { value: { seen: false, why: 'no /proc' }, doubt: true },
];

const hosts: readonly Option<Partial<HostFacts>>[] = [
  { value: {} },
  { value: { pidNamespace: 'pid:[4026532777]', initialPidNamespace: false, numbersAreOurs: true } },
];

const files: readonly Option<Partial<LockFile>>[] = [
  { value: {} },
  { value: { mtimeMs: NOW - 1000 }, doubt: true },
];

const git = (tracked: GitFacts['tracked']): GitFacts => ({
  tracked,
  ignored: { seen: true, value: true },
  repository: ROOT,
});

const combine = (
  record: (typeof records)[number],
  sessionId: string,
  lookup: (typeof lookups)[number],
  tmux: (typeof servers)[number],
  others: (typeof around)[number],
  listing: (typeof listings)[number],
  host: (typeof hosts)[number],
  file: (typeof files)[number],
): Snapshot => {
  const base = aSnapshot({
    locks: [aLock(ADA, { ...record.value.record, sessionId }, file.value)],
    servers: tmux.value.list,
    lookups: lookup.value === null ? [] : [lookup.value],
    processes: others.value,
  });
  return withMachine(base, {
    host: { ...base.machine.host, ...host.value },
    processes: { ...base.machine.processes, listing: listing.value },
    tmux: { ...base.machine.tmux, installed: tmux.value.installed },
  });
};

function* everything(): Generator<{
  /** Made where it is judged, for most tests take only some. */
  readonly snapshot: () => Snapshot;
  readonly options: readonly Option<unknown>[];
  readonly own: boolean;
}> {
  for (const record of records)
    for (const name of names)
      for (const lookup of lookups)
        for (const tmux of servers)
          for (const others of around)
            for (const listing of listings)
              for (const host of hosts)
                for (const file of files)
                  yield {
                    snapshot: () => combine(record, name, lookup, tmux, others, listing, host, file),
                    options: [record, lookup, tmux, others, listing, ...(record.value.own ? [] : [file])],
                    own: record.value.own,
                  };
}

/** The same with programs that are not known agents, on a host and with a file that do not prevent a release. */
function* everythingUnknown(): ReturnType<typeof everything> {
  const [host, file] = [hosts[0], files[0]];
  if (host === undefined || file === undefined) return;
  for (const record of records)
    for (const name of names)
      for (const lookup of lookups)
        for (const tmux of [...servers, unknownPane])
          for (const others of tmux === unknownPane ? [...programs, ...around] : programs)
            for (const listing of listings)
              yield {
                snapshot: () => combine(record, name, lookup, tmux, others, listing, host, file),
                options: [record, lookup, tmux, others, listing],
                own: record.value.own,
              };
}

function* all(): ReturnType<typeof everything> {
  yield* everything();
  yield* everythingUnknown();
}

const isReleased = (snapshot: Snapshot): boolean =>
  judgeAll(indexSnapshot(snapshot))[0]?.release.allowed === true;

/** All ways to know one thing less. */
const forgettings: readonly ((snapshot: Snapshot) => Snapshot)[] = [
  (s) =>
    withMachine(s, { processes: { ...s.machine.processes, listing: { seen: false, why: 'forgotten' } } }),
  (s) => withMachine(s, { processes: { ...s.machine.processes, lookups: [] } }),
  (s) => withLookup(s, (lookup) => ({ ...lookup, answer: 'unknown', why: 'forgotten' })),
  (s) => withLookup(s, (lookup) => ({ ...lookup, process: null })),
  (s) => withProcess(s, { names: [] }),
  (s) => withProcess(s, { startedAtMs: null }),
  (s) => withProcess(s, { startToken: null }),
  (s) =>
    withMachine(s, {
      processes: {
        ...s.machine.processes,
        list: s.machine.processes.list.map((one) =>
          one.cwd === null ? one : { ...one, cwd: { seen: false, why: 'forgotten' } },
        ),
      },
    }),
  (s) =>
    withMachine(s, {
      processes: {
        ...s.machine.processes,
        list: s.machine.processes.list.map((one) => ({ ...one, environment: null })),
      },
    }),
  (s) => withList(s, ({ leftBehind: _, ...one }) => one),
  (s) => withList(s, ({ role: _, ...one }) => one),
  (s) => {
    // A closed registry casts doubt on processes in this worker, but not on every process of its user.
    const unread = withList(s, ({ registered, ...one }) =>
      registered !== undefined && one.cwd?.seen === true && one.cwd.value !== HOME
        ? { ...one, registered }
        : one,
    );
    const closed = { uid: 1000, tool: 'kiro', path: '/home/.kiro/sessions', why: 'forgotten' };
    return withMachine(unread, { processes: { ...unread.machine.processes, closedRegistries: [closed] } });
  },
  (s) => withList(s, ({ inForeground: _, ...one }) => one),
  (s) => withList(s, (one) => ({ ...one, names: [] })),
  (s) => {
    const unasked = withServers(s, (server) => ({
      ...server,
      status: 'failed',
      panes: [],
      reason: 'no tmux',
    }));
    return withMachine(unasked, { tmux: { ...unasked.machine.tmux, installed: false } });
  },
  (s) => withMachine(s, { tmux: { ...s.machine.tmux, enumerated: false } }),
  (s) => withServers(s, (server) => ({ ...server, status: 'failed', panes: [], reason: 'forgotten' })),
  (s) => withServers(s, (server) => ({ ...server, startedAtMs: null })),
  (s) =>
    withServers(s, (server) => ({ ...server, panes: server.panes.map((pane) => ({ ...pane, path: null })) })),
  (s) => withMachine(s, { host: { ...s.machine.host, bootId: null } }),
  (s) => withMachine(s, { host: { ...s.machine.host, pidNamespace: null, initialPidNamespace: null } }),
  (s) => withMachine(s, { host: { ...s.machine.host, numbersAreOurs: false } }),
  (s) => withLock(s, { git: null }),
  (s) => withLock(s, { git: git({ seen: false, why: 'forgotten' }) }),
  (s) => withLock(s, { mtimeMs: null }),
  (s) => withLock(s, { uid: null }),
  (s) => withLock(s, { content: { kind: 'unread', why: 'forgotten' } }),
];

const withLock = (s: Snapshot, fields: Partial<LockFile>): Snapshot => ({
  ...s,
  locks: s.locks.map((lock) => ({ ...lock, ...fields })),
});
const withLookup = (s: Snapshot, change: (lookup: PidLookup) => PidLookup): Snapshot =>
  withMachine(s, {
    processes: { ...s.machine.processes, lookups: s.machine.processes.lookups.map(change) },
  });
const withProcess = (s: Snapshot, fields: Partial<ProcessInfo>): Snapshot =>
  withLookup(s, (lookup) => ({
    ...lookup,
    process: lookup.process === null ? null : { ...lookup.process, ...fields },
  }));
const withList = (s: Snapshot, change: (process: ProcessInfo) => ProcessInfo): Snapshot =>
  withMachine(s, {
    processes: { ...s.machine.processes, list: s.machine.processes.list.map(change) },
  });
const withServers = (s: Snapshot, change: (server: TmuxServer) => TmuxServer): Snapshot =>
  withMachine(s, {
    tmux: { ...s.machine.tmux, servers: s.machine.tmux.servers.map(change) },
  });

test('an automatic release implies no sign of life, no doubt and no foreign host', () => {
  let judged = 0;
  let released = 0;
  for (const { snapshot, options, own } of all()) {
    judged += 1;
    if (!isReleased(snapshot())) continue;
    released += 1;
    const bad = options.filter(
      ({ life = false, doubt = false, foreign = false }) => life || doubt || foreign,
    );
    if (bad.length > 0)
      throw new Error(
        `released in spite of ${JSON.stringify(bad)} (own: ${own}) in ${JSON.stringify(snapshot())}`,
      );
  }
  expect(judged).toBe(8 * 5 * 10 * 13 * 5 * 3 * 2 * 2 + 8 * 5 * 10 * 3 * (13 * 9 + 14));
  expect(released).toBeGreaterThan(1000);
});

test('forgetting any one piece of evidence never turns "leave it" into "release it"', () => {
  let tried = 0;
  // Every eleventh combination: 11 divides the size of no dimension, so that all values still meet.
  for (const { snapshot } of all()) {
    tried += 1;
    if (tried % 11 !== 0) continue;
    const whole = snapshot();
    if (isReleased(whole)) continue;
    for (const [number, forget] of forgettings.entries()) {
      const less = forget(whole);
      if (isReleased(less))
        throw new Error(
          `forgetting ${number} releases ${JSON.stringify(less)}, left with ${JSON.stringify(whole)}`,
        );
    }
  }
  expect(tried).toBeGreaterThan(400_000);
});

/** The same evidence with unknown names for all programs, as if the list of names were empty. */
const withoutNames = (s: Snapshot): Snapshot => {
  const unheard = (name: string): string => `unheard-of-${name}`;
  const renamed = withList(s, (one) => ({ ...one, names: one.names.map(unheard) }));
  return withServers(
    withLookup(renamed, (lookup) =>
      lookup.process === null
        ? lookup
        : { ...lookup, process: { ...lookup.process, names: lookup.process.names.map(unheard) } },
    ),
    (server) => ({
      ...server,
      panes: server.panes.map((pane) => ({ ...pane, command: unheard(pane.command) })),
    }),
  );
};

test('with an empty list of names no lock becomes stale in any combination', () => {
  let tried = 0;
  for (const { snapshot } of all()) {
    tried += 1;
    if (tried % 11 !== 0) continue;
    const whole = snapshot();
    const [before] = judgeAll(indexSnapshot(whole));
    const [after] = judgeAll(indexSnapshot(withoutNames(whole)));
    if (before?.state !== after?.state && after?.state === 'stale')
      throw new Error(`${before?.state} became stale without names: ${JSON.stringify(whole)}`);
  }
  expect(tried).toBeGreaterThan(400_000);
});

const TOWNS = new URL('../../../fixtures/towns/', import.meta.url);

test.each(readdirSync(TOWNS))('with an empty list of names no lock of %s becomes stale', (town) => {
  const text = readFileSync(new URL(`${town}/snapshot.json`, TOWNS), 'utf8');
  const snapshot = JSON.parse(text) as Snapshot;
  const before = judgeAll(indexSnapshot(snapshot));
  const after = judgeAll(indexSnapshot(withoutNames(snapshot)));
  expect(after.map(({ state }) => state).length).toBe(before.length);
  for (const [at, { lock, state }] of after.entries())
    if (state === 'stale') expect([lock.id, before[at]?.state]).toEqual([lock.id, 'stale']);
});

test('a lock that git tracks or may track is never released', () => {
  for (const tracked of [
    { seen: true, value: true },
    { seen: false, why: 'no git' },
  ] as const)
    expect(isReleased(aSnapshot({ locks: [aLock(ADA, {}, { git: git(tracked) })] }))).toBe(false);
  expect(isReleased(aSnapshot({ locks: [aLock(ADA, {}, { git: git({ seen: true, value: false }) })] }))).toBe(
    true,
  );
});
