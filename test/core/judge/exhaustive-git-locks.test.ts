/**
 * The judge over all possible evidence about git's own locks: who has them open, which git processes work where, whether
 * all processes were listed, what git recorded, the file system, and the start of this machine.
 */
import { expect, test } from '@jest/globals';
import { judgeAll } from '../../../src/core/judge/judge.ts';
import { indexSnapshot } from '../../../src/core/town/town-index.ts';
import type {
  FileUse,
  GitUse,
  LockFile,
  NotedPid,
  PidLookup,
  Snapshot,
  Uses,
} from '../../../src/core/types/evidence.ts';
import { absent, aLock, aSnapshot, HOUR, NOW, present, ROOT, withMachine } from '../../support/snapshot.ts';

interface Option<T> {
  readonly value: T;
  readonly life?: true;
  readonly doubt?: true;
}

const MAIN = `${ROOT}/.git`;
const LINKED = `${MAIN}/worktrees/a`;
const TREE = `${ROOT}/.claude/worktrees/a`;

/** Where the lock is, the places of git processes that may hold it, and the places of those that cannot. */
const places = [
  {
    name: 'index.lock',
    path: MAIN,
    tree: ROOT,
    holders: [MAIN, ROOT, `${MAIN}/index`],
    others: [LINKED, '/elsewhere'],
  },
  {
    name: 'packed-refs.lock',
    path: MAIN,
    tree: ROOT,
    holders: [MAIN, LINKED, `${MAIN}/modules/x`],
    others: ['/elsewhere', `${ROOT}2/.git`],
  },
  {
    name: 'index.lock',
    path: LINKED,
    tree: TREE,
    holders: [LINKED, TREE],
    others: [MAIN, ROOT, `${MAIN}/worktrees/ab`],
  },
  {
    name: 'HEAD.lock',
    path: LINKED,
    tree: TREE,
    holders: [LINKED, MAIN, `${MAIN}/worktrees/ab`],
    others: ['/elsewhere', `${ROOT}/libs/x/.git`],
  },
] as const;
type Place = (typeof places)[number];

const opened = (path: string): readonly Option<Uses<FileUse> | undefined>[] => [
  { value: { uses: [], hidden: null } },
  { value: { uses: [{ path: `${path}2`, pid: 77, command: 'cc' }], hidden: null } },
  { value: { uses: [{ path, pid: 77, command: 'cc' }], hidden: null }, life: true },
  { value: { uses: [], hidden: 'EACCES' }, doubt: true },
  { value: undefined, doubt: true },
];

const at = (place: string): Uses<GitUse> => ({
  uses: [{ pid: 78, command: 'git', places: [place] }],
  hidden: null,
});

const gits = ({ holders, others }: Place): readonly Option<Uses<GitUse> | undefined>[] => [
  { value: { uses: [], hidden: null } },
  ...others.map((place) => ({ value: at(place) })),
  ...holders.map((place) => ({ value: at(place), life: true as const })),
  { value: { uses: [], hidden: 'EACCES' }, doubt: true },
  { value: undefined, doubt: true },
];

const listings: readonly Option<Snapshot['machine']['processes']['listing']>[] = [
  { value: { seen: true, value: 'all' } },
  { value: { seen: true, value: 'own' }, doubt: true },
  { value: { seen: false, why: 'no /proc' }, doubt: true },
];

const note = (isOfThisLock: boolean | null): NotedPid => ({
  pid: 4242,
  mtimeMs: NOW - 3 * HOUR,
  isOfThisLock,
});

const notes: readonly Option<{ readonly note: NotedPid | undefined; readonly lookup: PidLookup | null }>[] = [
  { value: { note: undefined, lookup: null } },
  { value: { note: note(true), lookup: absent(4242) } },
  { value: { note: note(false), lookup: absent(4242) } },
  { value: { note: note(null), lookup: { ...absent(4242), answer: 'zombie' } } },
  { value: { note: note(true), lookup: present(4242, { startedAtMs: NOW - 4 * HOUR }) }, life: true },
  { value: { note: note(false), lookup: present(4242, { startedAtMs: null }) }, life: true },
  { value: { note: note(true), lookup: present(4242, { startedAtMs: NOW - HOUR }) } },
  { value: { note: note(true), lookup: { ...absent(4242), answer: 'unknown', why: 'EIO' } }, doubt: true },
  { value: { note: note(true), lookup: null }, doubt: true },
];

const disks = [undefined, 'nfs'];
const starts = [null, NOW - 2 * HOUR, NOW - 24 * HOUR];
const ages = [NOW - 8 * HOUR, NOW - 1000, null];

interface Case {
  readonly snapshot: Snapshot;
  readonly options: readonly Option<unknown>[];
  readonly isOnNetwork: boolean;
  readonly isOlderThanStart: boolean;
  readonly mtimeMs: number | null;
}

function* everything(): Generator<Case> {
  for (const place of places)
    for (const open of opened(`${place.path}/${place.name}`))
      for (const git of gits(place))
        for (const listing of listings)
          for (const noted of notes)
            for (const network of disks)
              for (const bootedAtMs of starts)
                for (const mtimeMs of ages) {
                  const lock: LockFile = {
                    ...aLock('.', {}, { content: { kind: 'claim', claim: { by: 'open-file' } }, mtimeMs }),
                    id: `git-lock:${place.name}`,
                    kind: 'git-lock',
                    path: `${place.path}/${place.name}`,
                    rules: { claims: null, witnesses: ['process', 'open-file', 'git'], freshMs: 60_000 },
                    gitDir: { path: place.path, main: MAIN, tree: place.tree },
                    ...(network === undefined ? {} : { network }),
                    ...(noted.value.note === undefined ? {} : { notedPid: noted.value.note }),
                  };
                  const base = aSnapshot({
                    locks: [lock],
                    lookups: noted.value.lookup === null ? [] : [noted.value.lookup],
                    over: {
                      files: {
                        ...(open.value === undefined ? {} : { open: open.value }),
                        ...(git.value === undefined ? {} : { git: git.value }),
                      },
                    },
                  });
                  yield {
                    snapshot: withMachine(base, {
                      host: { ...base.machine.host, bootedAtMs },
                      processes: { ...base.machine.processes, listing: listing.value },
                    }),
                    options: [open, git, listing, noted],
                    isOnNetwork: network !== undefined,
                    isOlderThanStart: bootedAtMs !== null && mtimeMs !== null && mtimeMs < bootedAtMs - HOUR,
                    mtimeMs,
                  };
                }
}

const isReleased = (snapshot: Snapshot): boolean =>
  judgeAll(indexSnapshot(snapshot))[0]?.release.allowed === true;

test('a release implies a local disk, no sign of a holder, and no doubt unless the lock is older than this boot', () => {
  let judged = 0;
  let released = 0;
  for (const one of everything()) {
    judged += 1;
    if (!isReleased(one.snapshot)) continue;
    released += 1;
    const isWrong =
      one.isOnNetwork ||
      one.mtimeMs === null ||
      NOW - one.mtimeMs < 60_000 ||
      one.options.some(({ life }) => life === true) ||
      (!one.isOlderThanStart && one.options.some(({ doubt }) => doubt === true));
    if (isWrong) throw new Error(`released ${JSON.stringify(one)}`);
  }
  expect(judged).toBe(5 * (8 + 8 + 8 + 8) * 3 * 9 * 2 * 3 * 3);
  expect(released).toBeGreaterThan(500);
});

const without = (s: Snapshot, fields: Partial<Snapshot['machine']>): Snapshot => withMachine(s, fields);

const forgettings: readonly ((s: Snapshot) => Snapshot)[] = [
  (s) => without(s, { files: {} }),
  (s) => without(s, { files: { ...s.machine.files, open: { uses: [], hidden: 'forgotten' } } }),
  (s) => without(s, { files: { ...s.machine.files, git: { uses: [], hidden: 'forgotten' } } }),
  (s) => without(s, { processes: { ...s.machine.processes, lookups: [] } }),
  (s) => without(s, { processes: { ...s.machine.processes, listing: { seen: false, why: 'forgotten' } } }),
  (s) => without(s, { host: { ...s.machine.host, bootedAtMs: null } }),
  (s) => ({ ...s, locks: s.locks.map((lock) => ({ ...lock, mtimeMs: null })) }),
  (s) => ({ ...s, locks: s.locks.map((lock) => ({ ...lock, network: lock.network ?? 'unknown' })) }),
];

test('forgetting any one piece of evidence never turns "leave it" into "release it"', () => {
  let tried = 0;
  for (const { snapshot, isOlderThanStart } of everything()) {
    tried += 1;
    // A lock older than this boot has no holder, whatever is forgotten about processes.
    if (tried % 7 !== 0 || isOlderThanStart || isReleased(snapshot)) continue;
    for (const [number, forget] of forgettings.entries())
      if (isReleased(forget(snapshot)))
        throw new Error(`forgetting ${number} releases ${JSON.stringify(snapshot)}`);
  }
  expect(tried).toBeGreaterThan(10_000);
});
