/** Stories about locks of other kinds than the agent's, in a plain repository whose worktrees are its workers. */
import type { Claim, NumberClaim } from '../../../src/core/types/claim.ts';
import type { KindRules, LinkedTree, LockFile, Snapshot } from '../../../src/core/types/evidence.ts';
import { absent, aLock, aProcess, aSnapshot, NOW, present, ROOT } from '../snapshot.ts';
import type { Story } from './story.ts';

const tree = (name: string): string => `.claude/worktrees/${name}`;

const RULES: KindRules = { claims: null, witnesses: ['process', 'agents', 'git'], freshMs: 60_000 };

const numbered = (pid: number, fields: Partial<NumberClaim> = {}): NumberClaim => ({
  by: 'number',
  pid,
  start: null,
  hostname: '',
  since: null,
  name: `claude agent agent-${pid}`,
  isShared: true,
  ...fields,
});

/** The lock of a worktree. */
const worktree = (
  name: string,
  claim: Claim,
  state: Partial<LinkedTree> = {},
  fields: Partial<LockFile> = {},
): LockFile => ({
  ...aLock(tree(name), {}, { content: { kind: 'claim', claim } }),
  id: `git-worktree:.git/worktrees/${name}/locked`,
  kind: 'git-worktree',
  path: `${ROOT}/.git/worktrees/${name}/locked`,
  rules: RULES,
  tree: {
    path: `${ROOT}/${tree(name)}`,
    exists: { seen: true, value: true },
    isUnfinished: false,
    ...state,
  },
  gitDir: {
    path: `${ROOT}/.git/worktrees/${name}`,
    main: `${ROOT}/.git`,
    tree: `${ROOT}/${tree(name)}`,
  },
  ...fields,
});

/** A lock without a holder's name, of a kind that checks who has the file open. */
const nameless = (name: string): LockFile => claimed(name, { by: 'open-file' });

const claimed = (name: string, claim: Claim, fields: Partial<LockFile> = {}): LockFile => ({
  ...aLock('.', {}, { content: { kind: 'claim', claim }, ...fields }),
  id: `nameless:${name}`,
  kind: 'nameless',
  path: `${ROOT}/${name}`,
  rules: {
    claims: null,
    witnesses: claim.by === 'open-file' ? ['open-file', 'git'] : [],
    freshMs: 60_000,
  },
});

const GIT_IDLE = { uses: [], hidden: null };

/** A git lock in the main git directory. */
const gitLock = (name: string, fields: Partial<LockFile> = {}): LockFile => ({
  ...aLock('.', {}, { content: { kind: 'claim', claim: { by: 'open-file' } } }),
  id: `git-lock:.git/${name}`,
  kind: 'git-lock',
  path: `${ROOT}/.git/${name}`,
  rules: { claims: null, witnesses: ['process', 'open-file', 'git'], freshMs: 60_000 },
  gitDir: { path: `${ROOT}/.git`, main: `${ROOT}/.git`, tree: ROOT },
  ...fields,
});

const gitLockIn = (name: string, fields: Partial<LockFile> = {}): LockFile =>
  gitLock(`worktrees/${name}/index.lock`, {
    worker: tree(name),
    gitDir: { path: `${ROOT}/.git/worktrees/${name}`, main: `${ROOT}/.git`, tree: `${ROOT}/${tree(name)}` },
    ...fields,
  });

const NOBODY_THERE = { open: { uses: [], hidden: null }, git: GIT_IDLE } as const;

const repository = (parts: Parameters<typeof aSnapshot>[0]): Snapshot => {
  const snapshot = aSnapshot(parts);
  return {
    ...snapshot,
    town: { ...snapshot.town, marked: false, isRepository: true, rigs: [], workers: [] },
  };
};

const GONE = { exists: { seen: true, value: false } } as const;

const inTree = (name: string) => ({ cwd: { seen: true as const, value: `${ROOT}/${tree(name)}` } });

export const KIND_STORIES: readonly Story[] = [
  {
    name: 'repository-with-worktrees',
    summary:
      'A plain repository with worktrees that dead agents locked (one has moved), a live session, and a person.',
    locks: {
      'git-worktree:.git/worktrees/astray/locked': 'unknown',
      'git-worktree:.git/worktrees/dead/locked': 'stale',
      'git-worktree:.git/worktrees/gone/locked': 'stale gone',
      'git-worktree:.git/worktrees/mac/locked': 'unknown',
      'git-worktree:.git/worktrees/note/locked': 'held by-hand',
      'git-worktree:.git/worktrees/reused/locked': 'stale',
      'git-worktree:.git/worktrees/shared/locked': 'unknown',
      'git-worktree:.git/worktrees/taken-over/locked': 'held',
    },
    findings: [
      'stale-lock:git-worktree:.git/worktrees/dead/locked',
      'stale-lock:git-worktree:.git/worktrees/gone/locked',
      'stale-lock:git-worktree:.git/worktrees/reused/locked',
      'undecided-lock:git-worktree:.git/worktrees/astray/locked',
      'undecided-lock:git-worktree:.git/worktrees/mac/locked',
      'undecided-lock:git-worktree:.git/worktrees/shared/locked',
    ],
    exit: 1,
    snapshot: repository({
      locks: [
        worktree('astray', numbered(4247), { astray: 'its .git does not lead back to this lock' }),
        worktree('dead', numbered(4242)),
        worktree('gone', numbered(4243), GONE),
        worktree('mac', numbered(4248, { start: 'Wed Aug 26 10:25:14 2026', isStartNative: true })),
        worktree('note', { by: 'person', note: 'afk: do not touch' }),
        worktree('reused', numbered(4244, { start: '777' })),
        worktree('shared', numbered(4245)),
        worktree('taken-over', numbered(4246)),
      ],
      lookups: [4242, 4243, 4246, 4247, 4248].map(absent).concat([present(4244), present(4245)]),
      processes: [aProcess(800, inTree('taken-over'))],
    }),
  },
  {
    name: 'worktree-never-finished',
    summary: 'A German git worktree add was killed before it created the directory.',
    locks: { 'git-worktree:.git/worktrees/new/locked': 'stale gone' },
    findings: ['stale-lock:git-worktree:.git/worktrees/new/locked'],
    exit: 1,
    snapshot: repository({
      locks: [worktree('new', { by: 'person', note: 'initialisiere' }, { isUnfinished: true, ...GONE })],
      over: { files: { git: GIT_IDLE } },
    }),
  },
  {
    name: 'worktree-being-made',
    summary: 'git worktree add is still running.',
    locks: { 'git-worktree:.git/worktrees/new/locked': 'held' },
    findings: [],
    exit: 0,
    snapshot: repository({
      locks: [worktree('new', { by: 'person', note: 'initializing' }, { isUnfinished: true })],
      over: {
        files: { git: { uses: [{ pid: 900, command: 'git', places: [`${ROOT}/.git`] }], hidden: null } },
      },
    }),
  },
  {
    name: 'nameless-locks',
    summary: "Two locks without a holder's name: one of the files is open.",
    locks: { 'nameless:held.lock': 'held', 'nameless:left.lock': 'stale' },
    findings: ['stale-lock:nameless:left.lock'],
    exit: 1,
    snapshot: repository({
      locks: [nameless('held.lock'), nameless('left.lock')],
      over: {
        files: {
          open: { uses: [{ path: `${ROOT}/held.lock`, pid: 901, command: 'cc' }], hidden: null },
          git: GIT_IDLE,
        },
      },
    }),
  },
  {
    name: 'locks-of-flock-and-time',
    summary:
      'A file that is held by flock, one that is open, one about which nothing is known, and two refreshed locks.',
    locks: {
      'nameless:flocked': 'held',
      'nameless:new.lock': 'held',
      'nameless:old.lock': 'unknown',
      'nameless:opened': 'unknown',
      'nameless:unseen': 'unknown',
    },
    findings: [
      'undecided-lock:nameless:old.lock',
      'undecided-lock:nameless:opened',
      'undecided-lock:nameless:unseen',
    ],
    exit: 22,
    snapshot: repository({
      locks: [
        claimed('flocked', { by: 'flock' }),
        claimed('new.lock', { by: 'mtime', refreshedWithinMs: 10_000 }, { mtimeMs: NOW - 3000 }),
        claimed('old.lock', { by: 'mtime', refreshedWithinMs: 10_000 }),
        claimed('opened', { by: 'flock' }),
        claimed('unseen', { by: 'flock' }),
      ],
      over: {
        files: {
          flocks: {
            uses: [
              { path: `${ROOT}/flocked`, pid: 902, command: 'dolt' },
              { path: `${ROOT}/opened`, pid: 903, command: 'codex', mayHold: true },
            ],
            hidden: null,
          },
        },
      },
    }),
  },
  {
    name: 'nameless-lock-unseen',
    summary: "A lock without a holder's name, on a machine whose processes we cannot examine.",
    locks: { 'nameless:left.lock': 'unknown' },
    findings: ['undecided-lock:nameless:left.lock'],
    exit: 22,
    snapshot: repository({
      locks: [nameless('left.lock')],
      over: {
        files: {
          open: {
            uses: [],
            hidden: 'the open files of process 901 (cc) cannot be read: permission denied (EACCES)',
          },
          git: { uses: [], hidden: 'where process 900 (git) works cannot be read: permission denied' },
        },
      },
    }),
  },
  {
    name: 'git-locks',
    summary: 'A commit runs a hook in one worktree; the others have locks of killed gits, one of them of gc.',
    locks: {
      'git-lock:.git/gc.pid': 'stale',
      'git-lock:.git/index.lock': 'stale',
      'git-lock:.git/objects/maintenance.lock': 'held',
      'git-lock:.git/refs/heads/main.lock': 'held',
      'git-lock:.git/worktrees/busy/index.lock': 'held',
      'git-lock:.git/worktrees/noted/index.lock': 'held',
      'git-lock:.git/worktrees/left/index.lock': 'stale',
    },
    findings: [
      'stale-lock:git-lock:.git/gc.pid',
      'stale-lock:git-lock:.git/index.lock',
      'stale-lock:git-lock:.git/worktrees/left/index.lock',
    ],
    exit: 1,
    snapshot: repository({
      locks: [
        gitLock('gc.pid', {
          content: {
            kind: 'claim',
            claim: numbered(4242, { name: 'git gc', isShared: false, isHarmless: true }),
          },
        }),
        gitLock('index.lock'),
        gitLock('objects/maintenance.lock'),
        gitLock('refs/heads/main.lock'),
        gitLockIn('busy'),
        gitLockIn('noted', { notedPid: { pid: 4244, mtimeMs: NOW - 600_000, isOfThisLock: true } }),
        gitLockIn('left', { notedPid: { pid: 4243, mtimeMs: NOW - 600_000, isOfThisLock: true } }),
      ],
      lookups: [absent(4242), absent(4243), present(4244)],
      over: {
        files: {
          open: { uses: [], hidden: null },
          git: {
            uses: [{ pid: 900, command: 'pre-commit', places: [`${ROOT}/.git/worktrees/busy`] }],
            hidden: null,
          },
        },
      },
    }),
  },
  {
    name: 'git-locks-elsewhere',
    summary: 'A git lock on a network file system, and one whose processes we cannot examine.',
    locks: {
      'git-lock:.git/HEAD.lock': 'unknown',
      'git-lock:.git/index.lock': 'unknown',
    },
    findings: ['undecided-lock:git-lock:.git/HEAD.lock', 'undecided-lock:git-lock:.git/index.lock'],
    exit: 22,
    snapshot: repository({
      locks: [gitLock('HEAD.lock'), gitLock('index.lock', { network: 'nfs' })],
      over: {
        files: {
          ...NOBODY_THERE,
          git: { uses: [], hidden: 'where process 900 (git) works cannot be read: permission denied' },
        },
      },
    }),
  },
  {
    name: 'git-lock-before-boot',
    summary: 'A git lock from before the last boot, on a machine whose processes we cannot all examine.',
    locks: { 'git-lock:.git/index.lock': 'stale' },
    findings: ['stale-lock:git-lock:.git/index.lock'],
    exit: 1,
    snapshot: ((snapshot) => ({
      ...snapshot,
      machine: {
        ...snapshot.machine,
        host: { ...snapshot.machine.host, bootedAtMs: NOW - 3_600_000 },
      },
    }))(
      repository({
        locks: [gitLock('index.lock', { mtimeMs: NOW - 86_400_000 })],
        over: {
          files: {
            ...NOBODY_THERE,
            git: { uses: [], hidden: 'where process 900 (git) works cannot be read: permission denied' },
          },
        },
      }),
    ),
  },
];
