/**
 * The judge over all possible evidence about locks of kinds other than the agent's: whatever the claim and the witnesses,
 * only proof releases a lock, and forgetting one thing never turns "leave it" into "release it".
 */
import { expect, test } from '@jest/globals';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type { Claim } from '../../../src/core/types/claim.ts';
import type {
  FileEvidence,
  HostFacts,
  LinkedTree,
  LockFile,
  PidLookup,
  ProcessInfo,
  Snapshot,
  Uses,
  Witness,
} from '../../../src/core/types/evidence.ts';
import type { Verdict } from '../../../src/core/types/judgement.ts';
import {
  absent,
  aLock,
  aProcess,
  aSnapshot,
  HOUR,
  NOW,
  present,
  ROOT,
  withMachine,
} from '../../support/snapshot.ts';

const TREE = '.claude/worktrees/a';
const PATH = `${ROOT}/.git/worktrees/a/locked`;
const TAKEN = NOW - 8 * HOUR;

const number = { by: 'number', pid: 4242, hostname: '', since: null, name: 'an agent' } as const;

const claims: readonly Claim[] = [
  { ...number, start: null, isShared: false },
  { ...number, start: '5000', isShared: true },
  { ...number, start: '5000', isShared: false },
  { ...number, start: null, isShared: true, hostname: 'elsewhere' },
  { by: 'person', note: 'do not touch' },
  { by: 'person', note: '' },
  { by: 'open-file' },
  { by: 'mtime', refreshedWithinMs: 10_000 },
  { by: 'flock' },
];

const rules: readonly (readonly Witness[])[] = [
  ['process', 'agents', 'git'],
  ['process'],
  ['open-file', 'git'],
  ['open-file', 'git', 'agents', 'process'],
  [],
];

/** The holder by its start time, another process, and one whose start is hidden; all began before the lock. */
const lookups: readonly PidLookup[] = [
  absent(4242),
  present(4242),
  present(4242, { startToken: '6000' }),
  present(4242, { startToken: null, startedAtMs: null }),
  { ...absent(4242), answer: 'zombie' },
  { ...absent(4242), answer: 'unknown', why: 'EACCES' },
];

/** Who has the file open: not asked, hidden, nobody, somebody, and somebody while others are hidden. */
const answers = <Use>(use: Use): readonly (Uses<Use> | undefined)[] => [
  undefined,
  { uses: [], hidden: 'EACCES' },
  { uses: [], hidden: null },
  { uses: [use], hidden: null },
  { uses: [use], hidden: 'EACCES' },
];

const opened = answers({ path: PATH, pid: 77, command: 'git' });
const gits = answers({ pid: 78, command: 'git', places: [`${ROOT}/${TREE}/src`] });
const flocks = answers({ path: PATH, pid: 79, command: 'flock' }).slice(1, 4);

const standing: LinkedTree = {
  path: `${ROOT}/${TREE}`,
  exists: { seen: true, value: true },
  isUnfinished: false,
};
const trees: readonly (LinkedTree | undefined)[] = [
  undefined,
  standing,
  { ...standing, exists: { seen: true, value: false } },
  { ...standing, exists: { seen: false, why: 'EACCES' } },
  { ...standing, isUnfinished: true },
  { ...standing, astray: 'there is no .git in it' },
];

const there = { cwd: { seen: true as const, value: `${ROOT}/${TREE}` } };

/** Who works there: nobody, an agent, an unknown program, an agent whose working directory is hidden. */
const occupants: readonly (readonly ProcessInfo[])[] = [
  [],
  [aProcess(800, there)],
  [aProcess(801, { ...there, names: ['my-own-thing'], inForeground: true })],
  [aProcess(802, { cwd: { seen: false, why: 'EACCES' } })],
];

const ages: readonly (number | null)[] = [TAKEN, NOW - 1000, NOW + HOUR, null];

const git = (value: boolean | null): LockFile['git'] => ({
  tracked: value === null ? { seen: false, why: 'git is missing' } : { seen: true, value },
  ignored: { seen: true, value: true },
  repository: null,
});

const hosts: readonly Partial<HostFacts>[] = [{}, { bootedAtMs: NOW - HOUR }, { initialPidNamespace: false }];

interface Case {
  readonly claim: Claim;
  readonly witnesses: readonly Witness[];
  readonly lookup: PidLookup;
  readonly files: FileEvidence;
  readonly tree: LinkedTree | undefined;
  readonly around: readonly ProcessInfo[];
  readonly mtimeMs: number | null;
  readonly tracked: boolean | null;
  readonly host: Partial<HostFacts>;
}

const snapshotOf = ({
  claim,
  witnesses,
  lookup,
  files,
  tree,
  around,
  mtimeMs,
  tracked,
  host,
}: Case): Snapshot => {
  const lock: LockFile = {
    ...aLock(TREE, {}, { content: { kind: 'claim', claim }, mtimeMs, git: git(tracked) }),
    id: 'a-kind:.git/worktrees/a/locked',
    kind: 'a-kind',
    path: PATH,
    rules: { claims: null, witnesses, freshMs: 60_000 },
    ...(tree === undefined ? {} : { tree }),
  };
  const base = aSnapshot({
    locks: [lock],
    lookups: claim.by === 'number' ? [lookup] : [],
    processes: [...(claim.by === 'number' && lookup.process !== null ? [lookup.process] : []), ...around],
    over: { files },
  });
  return withMachine(base, { host: { ...base.machine.host, ...host } });
};

/** Evidence that does not matter to a claim is not varied with it. */
function* everything(): Generator<Case> {
  for (const claim of claims)
    for (const witnesses of rules)
      for (const lookup of claim.by === 'number' ? lookups : lookups.slice(0, 1))
        for (const open of claim.by === 'open-file' ? opened : opened.slice(0, 1))
          for (const gitUse of claim.by === 'number' ? gits.slice(2, 4) : gits)
            for (const flock of claim.by === 'flock' ? flocks : flocks.slice(0, 1))
              for (const tree of trees)
                for (const around of occupants)
                  for (const mtimeMs of ages)
                    for (const tracked of [false, true, null])
                      for (const host of hosts)
                        yield {
                          claim,
                          witnesses,
                          lookup,
                          tree,
                          around,
                          mtimeMs,
                          tracked,
                          host,
                          files: {
                            ...(open === undefined ? {} : { open }),
                            ...(gitUse === undefined ? {} : { git: gitUse }),
                            ...(flock === undefined ? {} : { flocks: flock }),
                          },
                        };
}

const verdictOf = (snapshot: Snapshot): Verdict | undefined => judgeAll(indexSnapshot(snapshot))[0];

const isReleased = (snapshot: Snapshot): boolean => verdictOf(snapshot)?.release.allowed === true;

const sawNobody = (uses: Uses<unknown> | undefined): boolean =>
  uses?.hidden === null && uses.uses.length === 0;

/** What must be true before such a lock is released, stated independently of the judge. */
const isProven = ({ claim, witnesses, lookup, files, tree, around, tracked, host }: Case): boolean => {
  if (tracked !== false) return false;
  if (witnesses.includes('agents') && around.length > 0) return false;
  const isWhereItSays = tree === undefined || (tree.exists.seen && tree.astray === undefined);
  if (witnesses.includes('agents') && !isWhereItSays) return false;
  const isAsked = (witness: Witness): boolean => witnesses.includes(witness);
  const proofWithoutPid =
    (isAsked('git') || isAsked('open-file')) &&
    (!isAsked('git') || sawNobody(files.git)) &&
    (!isAsked('open-file') || claim.by !== 'open-file' || sawNobody(files.open));
  switch (claim.by) {
    case 'number':
      return (
        isAsked('process') &&
        claim.hostname === '' &&
        host.initialPidNamespace !== false &&
        (lookup.answer === 'absent' ||
          lookup.answer === 'zombie' ||
          (claim.start !== null && lookup.process?.startToken === '6000'))
      );
    case 'open-file':
      return proofWithoutPid;
    case 'person':
      return tree?.isUnfinished === true && proofWithoutPid;
    default:
      return false;
  }
};

test('only proof releases a lock, and some locks are released', () => {
  let released = 0;
  const kinds = new Set<Claim['by']>();
  for (const one of everything()) {
    if (!isReleased(snapshotOf(one))) continue;
    released += 1;
    kinds.add(one.claim.by);
    if (!isProven(one)) throw new Error(`released ${JSON.stringify(one)}`);
  }
  expect(released).toBeGreaterThan(100);
  expect([...kinds].sort()).toEqual(['number', 'open-file', 'person']);
});

const withFiles = (s: Snapshot, change: (files: FileEvidence) => FileEvidence): Snapshot =>
  withMachine(s, { files: change(s.machine.files ?? {}) });

const withLocks = (s: Snapshot, fields: Partial<LockFile>): Snapshot => ({
  ...s,
  locks: s.locks.map((lock) => ({ ...lock, ...fields })),
});

const withTree = (s: Snapshot, fields: Partial<LinkedTree>): Snapshot => ({
  ...s,
  locks: s.locks.map((lock) =>
    lock.tree === undefined ? lock : { ...lock, tree: { ...lock.tree, ...fields } },
  ),
});

const withProcesses = (s: Snapshot, fields: Partial<ProcessInfo>): Snapshot =>
  withMachine(s, {
    processes: {
      ...s.machine.processes,
      list: s.machine.processes.list.map((process) => ({ ...process, ...fields })),
      lookups: s.machine.processes.lookups.map((lookup) => ({
        ...lookup,
        process: lookup.process === null ? null : { ...lookup.process, ...fields },
      })),
    },
  });

const hidden = <Use>(uses: Uses<Use> | undefined): Uses<Use> => ({
  uses: [],
  hidden: uses?.hidden ?? 'forgotten',
});

const forgettings: readonly ((s: Snapshot) => Snapshot)[] = [
  (s) => withFiles(s, ({ open: _, ...files }) => files),
  (s) => withFiles(s, ({ git: _, ...files }) => files),
  (s) => withFiles(s, ({ flocks: _, ...files }) => files),
  (s) => withFiles(s, (files) => ({ ...files, open: hidden(files.open) })),
  (s) => withFiles(s, (files) => ({ ...files, git: hidden(files.git) })),
  (s) => withFiles(s, (files) => ({ ...files, flocks: hidden(files.flocks) })),
  (s) => withTree(s, { exists: { seen: false, why: 'forgotten' } }),
  (s) => withTree(s, { path: null, exists: { seen: false, why: 'forgotten' } }),
  (s) => withTree(s, { astray: 'forgotten' }),
  (s) => withTree(s, { isUnfinished: false }),
  (s) => withLocks(s, { mtimeMs: null }),
  (s) => withLocks(s, { uid: null }),
  (s) => withLocks(s, { git: git(null) }),
  (s) => withLocks(s, { git: null }),
  (s) => withLocks(s, { stamp: null }),
  (s) => withProcesses(s, { cwd: { seen: false, why: 'forgotten' } }),
  (s) => withProcesses(s, { startToken: null, startedAtMs: null }),
  (s) => withProcesses(s, { environment: null }),
  (s) => withProcesses(s, { names: [] }),
  (s) => withMachine(s, { processes: { ...s.machine.processes, lookups: [] } }),
  (s) =>
    withMachine(s, { processes: { ...s.machine.processes, listing: { seen: false, why: 'forgotten' } } }),
  (s) => withMachine(s, { host: { ...s.machine.host, initialPidNamespace: null } }),
  (s) => withMachine(s, { host: { ...s.machine.host, bootedAtMs: null } }),
  (s) => withMachine(s, { tmux: { ...s.machine.tmux, enumerated: false } }),
];

test('forgetting any one piece of evidence never turns "leave it" into "release it"', () => {
  let tried = 0;
  for (const one of everything()) {
    tried += 1;
    // 23 is coprime to the number of values in every dimension above, so that all their combinations occur.
    if (tried % 23 !== 0) continue;
    const snapshot = snapshotOf(one);
    if (isReleased(snapshot)) continue;
    for (const [at, forget] of forgettings.entries())
      if (isReleased(forget(snapshot))) throw new Error(`forgetting ${at} releases ${JSON.stringify(one)}`);
  }
  expect(tried).toBeGreaterThan(100_000);
});
