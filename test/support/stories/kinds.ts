/** Stories about locks of other kinds than the agent's: in a plain repository, whose worktrees are its workers. */
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
  ...fields,
});

/** A lock that names nobody, of a kind that asks who has the file open. */
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

const repository = (parts: Parameters<typeof aSnapshot>[0]): Snapshot => {
  const snapshot = aSnapshot(parts);
  return {
    ...snapshot,
    town: { ...snapshot.town, marked: false, isRepository: true, rigs: [], workers: [] },
  };
};

const GONE = { exists: { seen: true, value: false } } as const;

const inTree = (name: string) => ({ cwd: { seen: true as const, value: `${ROOT}/${tree(name)}` } });

const GIT_IDLE = { uses: [], hidden: null };

export const KIND_STORIES: readonly Story[] = [
  {
    name: 'repository-with-worktrees',
    tells:
      'A plain repository, whose worktrees are locked by agents that died, one whose session lives, and a person.',
    locks: {
      'git-worktree:.git/worktrees/dead/locked': 'stale',
      'git-worktree:.git/worktrees/gone/locked': 'stale gone',
      'git-worktree:.git/worktrees/note/locked': 'held by-hand',
      'git-worktree:.git/worktrees/reused/locked': 'stale',
      'git-worktree:.git/worktrees/shared/locked': 'unknown',
      'git-worktree:.git/worktrees/taken-over/locked': 'held',
    },
    findings: [
      'stale-lock:git-worktree:.git/worktrees/dead/locked',
      'stale-lock:git-worktree:.git/worktrees/gone/locked',
      'stale-lock:git-worktree:.git/worktrees/reused/locked',
      'undecided-lock:git-worktree:.git/worktrees/shared/locked',
    ],
    exit: 1,
    snapshot: repository({
      locks: [
        worktree('dead', numbered(4242)),
        worktree('gone', numbered(4243), GONE),
        worktree('note', { by: 'person', note: 'afk: do not touch' }),
        worktree('reused', numbered(4244, { start: '777' })),
        worktree('shared', numbered(4245)),
        worktree('taken-over', numbered(4246)),
      ],
      lookups: [4242, 4243, 4246].map(absent).concat([present(4244), present(4245)]),
      processes: [aProcess(800, inTree('taken-over'))],
    }),
  },
  {
    name: 'worktree-never-finished',
    tells: 'git worktree add was killed before it had made the directory, and spoke German.',
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
    tells: 'git worktree add is still at work.',
    locks: { 'git-worktree:.git/worktrees/new/locked': 'held' },
    findings: [],
    exit: 0,
    snapshot: repository({
      locks: [worktree('new', { by: 'person', note: 'initializing' }, { isUnfinished: true })],
      over: { files: { git: { uses: [{ pid: 900, command: 'git', places: [ROOT] }], hidden: null } } },
    }),
  },
  {
    name: 'nameless-locks',
    tells: 'Two locks that name nobody: one file is open.',
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
    tells:
      'A file that somebody holds by flock, one of which that cannot be told, and two locks that their holders refresh.',
    locks: {
      'nameless:flocked': 'held',
      'nameless:new.lock': 'held',
      'nameless:old.lock': 'unknown',
      'nameless:unseen': 'unknown',
    },
    findings: ['undecided-lock:nameless:old.lock', 'undecided-lock:nameless:unseen'],
    exit: 22,
    snapshot: repository({
      locks: [
        claimed('flocked', { by: 'flock' }),
        claimed('new.lock', { by: 'mtime', refreshedWithinMs: 10_000 }, { mtimeMs: NOW - 3000 }),
        claimed('old.lock', { by: 'mtime', refreshedWithinMs: 10_000 }),
        claimed('unseen', { by: 'flock' }),
      ],
      over: {
        files: { flocks: { uses: [{ path: `${ROOT}/flocked`, pid: 902, command: 'dolt' }], hidden: null } },
      },
    }),
  },
  {
    name: 'nameless-lock-unseen',
    tells: 'A lock that names nobody, where processes are closed to us.',
    locks: { 'nameless:left.lock': 'unknown' },
    findings: ['undecided-lock:nameless:left.lock'],
    exit: 22,
    snapshot: repository({
      locks: [nameless('left.lock')],
      over: {
        files: {
          open: { uses: [], hidden: 'the files of process 901 (cc) are closed to us: EACCES' },
          git: { uses: [], hidden: 'where process 900 (git) works is closed to us' },
        },
      },
    }),
  },
];
