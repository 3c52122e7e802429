/**
 * The judge over all possible evidence about a recorded PID that is in use, and about restarts and former hosts: a lock
 * whose process is tied to the worker is never released, and forgetting one thing never turns "leave it" into "release it".
 */
import { expect, test } from '@jest/globals';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type {
  HostFacts,
  LockRecord,
  PidLookup,
  ProcessInfo,
  Snapshot,
} from '../../../src/core/types/evidence.ts';
import {
  absent,
  aLock,
  aPane,
  aServer,
  aSnapshot,
  BOOT,
  HOUR,
  NOW,
  present,
  ROOT,
  withMachine,
} from '../../support/snapshot.ts';

const ADA = 'gastown/crew/ada';
const BOB = 'gastown/crew/bob';
const TAKEN = NOW - 40 * HOUR;
const INSIDE = { initialPidNamespace: false, pidNamespace: 'pid:[4026532001]' } as const;

const at = (value: string): ProcessInfo['cwd'] => ({ seen: true, value });
const holder = { pid: 4242, startToken: '1', bootId: BOOT, pidNamespace: 'pid:[4026532777]', nonce: 'n' };

const records: readonly Partial<LockRecord>[] = [
  {},
  { hostname: '' },
  { hostname: '4e449adbac66' },
  { hostname: 'elsewhere' },
  { holder },
  { acquiredAtMs: null },
];
const startsAfterHours: readonly (number | null)[] = [-1, 0.5, 30, null];
const names = [['claude'], ['my-agent']];
const cwds: readonly ProcessInfo['cwd'][] = [
  at(`${ROOT}/${ADA}/src`),
  at(`${ROOT}/${BOB}`),
  at(ROOT),
  at('/home'),
  { seen: false, why: 'EACCES' },
];
const environments: readonly ProcessInfo['environment'][] = [{ GT_ROLE: ADA }, { GT_ROLE: BOB }, {}, null];
const panes = [
  null,
  aPane({ id: '%9', pid: 4242, command: 'bash', sessionName: 'gt-crew-bob', path: `${ROOT}/${BOB}` }),
  aPane({ id: '%9', pid: 4242, command: 'bash', path: ROOT }),
];
const hosts: readonly Partial<HostFacts>[] = [
  {},
  INSIDE,
  { bootedAtMs: NOW - 30 * HOUR },
  { ...INSIDE, bootedAtMs: NOW - 30 * HOUR },
  { ...INSIDE, hostname: '4e449adbac66', containerStartedAtMs: NOW - 30 * HOUR },
  { ...INSIDE, numbersAreOurs: true },
];
const formers: readonly (readonly string[])[] = [[], ['4e449adbac66']];
const users = [1000, 0];

const snapshotOf = (
  record: Partial<LockRecord>,
  lookup: PidLookup,
  pane: (typeof panes)[number],
  host: Partial<HostFacts>,
  formerHosts: readonly string[],
): Snapshot => {
  const lock = aLock(ADA, { acquiredAtMs: TAKEN, sessionId: '', ...record }, { mtimeMs: TAKEN });
  const base = aSnapshot({
    locks: [lock],
    lookups: [lookup],
    servers: pane === null ? [] : [aServer([pane], { startedAtMs: TAKEN })],
    processes: lookup.process === null ? [] : [lookup.process],
  });
  return withMachine(
    { ...base, town: { ...base.town, formerHosts } },
    { host: { ...base.machine.host, ...host } },
  );
};

interface Case {
  readonly snapshot: Snapshot;
  /** Whether something ties the process to this worker. */
  readonly isTied: boolean;
}

function* everything(): Generator<Case> {
  for (const record of records)
    for (const host of hosts)
      for (const formerHosts of formers) {
        if (formerHosts.length > 0 && record.hostname !== '4e449adbac66') continue;
        yield { snapshot: snapshotOf(record, absent(4242), null, host, formerHosts), isTied: false };
        for (const hours of startsAfterHours)
          for (const name of names)
            for (const cwd of cwds)
              for (const environment of environments)
                for (const uid of users)
                  for (const pane of panes) {
                    // Only root can see the working directory and the environment of another user's process.
                    if (uid === 0 && (cwd?.seen === true || environment !== null)) continue;
                    const startedAtMs = hours === null ? null : TAKEN + hours * HOUR;
                    const lookup = present(4242, { names: name, cwd, environment, uid, startedAtMs });
                    const isHere = cwd?.seen === true && cwd.value.startsWith(`${ROOT}/${ADA}`);
                    yield {
                      snapshot: snapshotOf(record, lookup, pane, host, formerHosts),
                      // The name of a session proves nothing if its process names another worker's agent.
                      isTied:
                        isHere ||
                        environment?.GT_ROLE === ADA ||
                        (pane === panes[2] && environment?.GT_ROLE !== BOB),
                    };
                  }
      }
}

const isReleased = (snapshot: Snapshot): boolean =>
  judgeAll(indexSnapshot(snapshot))[0]?.release.allowed === true;

const withProcess = (s: Snapshot, fields: Partial<ProcessInfo>): Snapshot =>
  withMachine(s, {
    processes: {
      ...s.machine.processes,
      lookups: s.machine.processes.lookups.map((lookup) => ({
        ...lookup,
        process: lookup.process === null ? null : { ...lookup.process, ...fields },
      })),
      list: s.machine.processes.list.map((process) =>
        process.pid === 4242 ? { ...process, ...fields } : process,
      ),
    },
  });

const forgettings: readonly ((s: Snapshot) => Snapshot)[] = [
  (s) => withProcess(s, { cwd: { seen: false, why: 'forgotten' } }),
  (s) => withProcess(s, { environment: null }),
  (s) => withProcess(s, { startedAtMs: null }),
  (s) => withProcess(s, { names: [] }),
  (s) => withProcess(s, { uid: null }),
  (s) => withMachine(s, { host: { ...s.machine.host, bootedAtMs: null } }),
  (s) => withMachine(s, { host: { ...s.machine.host, containerStartedAtMs: null } }),
  (s) => withMachine(s, { host: { ...s.machine.host, initialPidNamespace: null } }),
  (s) => withMachine(s, { host: { ...s.machine.host, numbersAreOurs: false } }),
  (s) => ({ ...s, town: { ...s.town, formerHosts: [] } }),
  (s) => withMachine(s, { processes: { ...s.machine.processes, lookups: [] } }),
  (s) => ({ ...s, locks: s.locks.map((lock) => ({ ...lock, mtimeMs: null })) }),
  (s) => ({ ...s, locks: s.locks.map((lock) => ({ ...lock, uid: null })) }),
];

test('a lock whose process is tied to the worker is never released, and some locks are released', () => {
  let released = 0;
  for (const { snapshot, isTied } of everything()) {
    const { content } = snapshot.locks[0] ?? aLock(ADA);
    const isForeignPid = content.kind === 'record' && content.record.holder !== null;
    if (!isReleased(snapshot)) continue;
    released += 1;
    // A PID of another PID namespace means another process here, wherever that works.
    if (isTied && !isForeignPid) throw new Error(`released ${JSON.stringify(snapshot)}`);
  }
  expect(released).toBeGreaterThan(1000);
});

test('forgetting any one piece of evidence never turns "leave it" into "release it"', () => {
  let tried = 0;
  for (const { snapshot } of everything()) {
    tried += 1;
    if (tried % 5 !== 0 || isReleased(snapshot)) continue;
    for (const [number, forget] of forgettings.entries())
      if (isReleased(forget(snapshot)))
        throw new Error(`forgetting ${number} releases ${JSON.stringify(snapshot)}`);
  }
  expect(tried).toBeGreaterThan(10_000);
});
