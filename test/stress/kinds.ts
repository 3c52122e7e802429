/**
 * `npm run stress -- --kinds`: real gits commit and add worktrees and are killed at random, sometimes without their hooks, while
 * doctors repair and undo, and are killed too. All locks look old, even those of live gits, so that only the witnesses protect
 * them. One JSON line; exit code 1 if a live git lost a lock or the repository is damaged.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { groupIsRunning } from '../support/processes.ts';
import { until } from '../support/until.ts';

const { values } = parseArgs({
  options: {
    kinds: { type: 'boolean' },
    seconds: { type: 'string', default: '60' },
    doctor: { type: 'string', default: '' },
    // Instead of doctors: a repair that only checks the age, as many scripts do. It must be caught.
    naive: { type: 'boolean' },
  },
});

const home = mkdtempSync(join(realpathSync(tmpdir()), 'stress-kinds-'));
const root = join(home, 'main');
const gitDir = join(root, '.git');
const hooks = join(home, 'hooks');
const begun = join(home, 'begun');

const env = {
  PATH: process.env.PATH,
  HOME: home,
  TMUX_TMPDIR: home,
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'a',
  GIT_AUTHOR_EMAIL: 'a@example.org',
  GIT_COMMITTER_NAME: 'a',
  GIT_COMMITTER_EMAIL: 'a@example.org',
};

const git = (cwd: string, ...args: string[]) =>
  spawnSync('git', ['-c', 'core.hooksPath=/dev/null', ...args], { cwd, env, encoding: 'utf8' });

const must = (cwd: string, ...args: string[]): string => {
  const { status, stdout, stderr } = git(cwd, ...args);
  if (status !== 0) throw new Error(`git ${args.join(' ')}: ${stderr}`);
  return stdout;
};

const tally = {
  commits: 0,
  adds: 0,
  unwritten: 0,
  blocked: 0,
  kills: 0,
  doctors: 0,
  doctorKills: 0,
  undone: 0,
};
const lost: string[] = [];

/** While a git, or a child of it, worked under its own lock, which must not be released then. */
interface Span {
  readonly lock: string;
  readonly fromMs: number;
  readonly toMs: number;
}
const spans: Span[] = [];

const random = (below: number): number => Math.floor(Math.random() * below);

const TREES = ['one', 'two', 'three'] as const;

const makeRepository = (): void => {
  for (const directory of [root, hooks, begun]) mkdirSync(directory);
  must(root, 'init', '-q', '-b', 'main');
  for (let file = 0; file < 20; file += 1) writeFileSync(join(root, `file-${file}`), `${file}\n`);
  // A slow filter keeps `git worktree add` at work, as a slow disk does.
  writeFileSync(join(hooks, 'slow'), '#!/bin/sh\nsleep 0.02\nexec cat\n', { mode: 0o755 });
  // Records when it began, by when git has its lock, and when it ended.
  writeFileSync(
    join(hooks, 'pre-commit'),
    `#!/bin/sh\nmark=${begun}/$STRESS_ATTEMPT\n: > $mark\nsleep 0.$STRESS_WAIT\n: > $mark.ended\n`,
    { mode: 0o755 },
  );
  writeFileSync(join(root, '.gitattributes'), 'file-* filter=slow\n');
  must(root, 'config', 'filter.slow.smudge', join(hooks, 'slow'));
  must(root, 'config', 'gc.auto', '0');
  must(root, 'config', 'maintenance.auto', 'false');
  must(root, 'add', '.');
  must(root, 'commit', '-q', '-m', 'first');
  for (const tree of TREES) must(root, 'worktree', 'add', '-q', '-b', tree, join(home, tree));
};

/** The time of the kill, in milliseconds since the epoch; null if the process had ended. */
const kill = (child: ChildProcess, whole: boolean): number | null => {
  const pid = child.pid ?? 0;
  if (pid <= 1 || child.exitCode !== null || child.signalCode !== null) return null;
  const atMs = Date.now();
  try {
    process.kill(whole ? -pid : pid, 'SIGKILL');
    tally.kills += 1;
    return atMs;
  } catch {
    return null;
  }
};

interface Ended {
  readonly code: number | null;
  readonly said: string;
  readonly killedAtMs: number | null;
}

/** Whether and when a git is killed, and whether its children are killed too. */
type Fate = { readonly afterMs: number; readonly whole: boolean } | null;

/** Runs git in its own process group; `fate` may kill it. Settles once the whole group has ended. */
const runGit = async (
  cwd: string,
  args: readonly string[],
  more: Record<string, string>,
  fate: Fate,
): Promise<Ended> => {
  const child = spawn('git', args, {
    cwd,
    env: { ...env, ...more },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (text) => {
      said += text;
    });
  let killedAtMs: number | null = null;
  const timer =
    fate === null
      ? null
      : setTimeout(() => {
          killedAtMs = kill(child, fate.whole);
        }, fate.afterMs);
  const code = await new Promise<number | null>((settle) => child.once('close', settle));
  if (timer !== null) clearTimeout(timer);
  await until(() => !groupIsRunning(child.pid ?? 0), 'the end of what git started');
  return { code, said, killedAtMs };
};

/** Another git, or its leftover lock, was first, which is what locks are for. */
const isBlocked = ({ said }: Ended): boolean =>
  /File exists|already locked|unable to (?:create|lock)/i.test(said);

let attempts = 0;
let endsAt = 0;
/** The naive repair is tried until it is caught. */
const isOver = (): boolean => Date.now() >= endsAt || (values.naive === true && lost.length > 0);

/** When a hook made its mark; null if it did not. */
const timeOf = (mark: string): number | null =>
  statSync(join(begun, mark), { throwIfNoEntry: false })?.mtimeMs ?? null;

const commitIn = async (tree: string): Promise<void> => {
  const cwd = join(home, tree);
  const lock = `.git/worktrees/${tree}/index.lock`;
  while (!isOver()) {
    attempts += 1;
    const attempt = String(attempts);
    writeFileSync(join(cwd, 'file-0'), `${attempt}\n`);
    const args = ['-c', `core.hooksPath=${hooks}`, 'commit', '-q', '-a', '-m', attempt];
    const variables = { STRESS_ATTEMPT: attempt, STRESS_WAIT: String(1 + random(6)) };
    const fate = random(3) === 0 ? { afterMs: random(500), whole: random(2) === 0 } : null;
    const result = await runGit(cwd, args, variables, fate);
    const toMs = Math.max(result.killedAtMs ?? Date.now(), timeOf(`${attempt}.ended`) ?? 0);
    const fromMs = timeOf(attempt);
    if (fromMs !== null) spans.push({ lock, fromMs, toMs });
    if (result.killedAtMs !== null) continue;
    if (result.code === 0) {
      tally.commits += 1;
      done.push([tree, must(cwd, 'rev-parse', 'HEAD').trim()]);
    } else if (isBlocked(result)) {
      tally.blocked += 1;
      await sleep(50);
    } else if (!result.said.includes('nothing to commit'))
      lost.push(`commit in ${tree}: ${result.said.trim().split('\n')[0]}`);
  }
};

/** Commits that git reported. */
const done: [tree: string, commit: string][] = [];

/**
 * A git that is killed after it has made these files of a new worktree, and before it has written them, leaves a repository in which
 * git itself refuses to work. That is no loss of a doctor's: the worktree is taken away, as a person would.
 */
const clearUnwritten = (name: string): void => {
  const place = join(gitDir, 'worktrees', name);
  const isEmpty = (file: string) => statSync(join(place, file), { throwIfNoEntry: false })?.size === 0;
  if (!['commondir', 'HEAD'].some(isEmpty)) return;
  rmSync(place, { recursive: true, maxRetries: 5 });
  tally.unwritten += 1;
};

const addTrees = async (): Promise<void> => {
  while (!isOver()) {
    attempts += 1;
    const name = `new-${attempts}`;
    const path = join(home, name);
    const isKilled = random(2) === 0;
    const fromMs = Date.now();
    const args = ['worktree', 'add', '-q', '--detach', path];
    const result = await runGit(root, args, {}, isKilled ? { afterMs: 20 + random(400), whole: true } : null);
    const toMs = result.killedAtMs ?? Date.now();
    spans.push({ lock: `.git/worktrees/${name}/locked`, fromMs, toMs });
    if (result.code === 0) {
      tally.adds += 1;
      if (must(path, 'status', '--porcelain') !== '') lost.push(`${name} is not whole`);
    } else if (result.killedAtMs === null && !isBlocked(result))
      lost.push(`${name}: ${result.said.trim().split('\n')[0]}`);
    if (result.killedAtMs !== null) clearUnwritten(name);
    // Git refuses while the lock is left.
    if (random(2) === 0) git(root, 'worktree', 'remove', '--force', path);
  }
};

const OLD_S = Date.now() / 1000 - 3600;

const locksThere = (): readonly string[] => {
  const trees = readdirSync(join(gitDir, 'worktrees')).map((name) => join(gitDir, 'worktrees', name));
  return [
    ...['index.lock', 'HEAD.lock', 'config.lock', 'packed-refs.lock'].map((name) => join(gitDir, name)),
    ...trees.flatMap((tree) => ['index.lock', 'HEAD.lock', 'locked'].map((name) => join(tree, name))),
    ...readdirSync(join(gitDir, 'refs/heads'))
      .filter((name) => name.endsWith('.lock') && !name.includes('.released-') && !name.includes('.old'))
      .map((name) => join(gitDir, 'refs/heads', name)),
  ].filter((path) => existsSync(path));
};

const makeOld = (): void => {
  for (const path of locksThere())
    try {
      utimesSync(path, OLD_S, OLD_S);
    } catch {
      // git has renamed it.
    }
};

const age = async (): Promise<void> => {
  while (!isOver()) {
    makeOld();
    await sleep(20);
  }
};

const doctor = (args: readonly string[], killAfterMs: number | null): Promise<number | null> =>
  new Promise((settle) => {
    const child = spawn(process.execPath, [values.doctor, ...args, '--town', root, '--json'], {
      cwd: '/',
      env,
      stdio: 'ignore',
    });
    if (killAfterMs !== null)
      setTimeout(() => {
        if (child.exitCode === null && child.kill('SIGKILL')) tally.doctorKills += 1;
      }, killAfterMs);
    child.once('exit', settle);
  });

const repair = async (): Promise<void> => {
  while (!isOver()) {
    const isUndo = random(8) === 0;
    const args = isUndo ? ['undo'] : ['--fix', '--yes', '--kind', 'git-lock', '--kind', 'git-worktree'];
    const code = await doctor(args, random(4) === 0 ? 100 + random(900) : null);
    tally.doctors += 1;
    if (isUndo && code === 0) tally.undone += 1;
    if (code === 70) lost.push(`doctor ${args.join(' ')}: a bug of its own`);
  }
};

const repairByAge = async (): Promise<void> => {
  while (!isOver()) {
    for (const path of locksThere())
      try {
        if (Date.now() - statSync(path).mtimeMs > 60_000) unlinkSync(path);
      } catch {
        // It is gone.
      }
    await sleep(20);
  }
};

interface Entry {
  readonly event: string;
  readonly at: string;
  readonly lock: string;
}

/** The doctors' releases, from their journal. */
const released = (): readonly Entry[] => {
  const path = join(root, '.runtime/lock-doctor/journal.jsonl');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Entry)
    .filter(({ event }) => event === 'release');
};

/** Checks that the repository is intact and every worktree still works. */
const check = async (): Promise<void> => {
  makeOld();
  if (values.naive !== true) {
    await doctor(['--fix', '--yes'], null);
    makeOld();
    await doctor(['--fix', '--yes'], null);
    for (const path of locksThere()) lost.push(`still there: ${path}`);
  }
  const fsck = git(root, 'fsck', '--full', '--strict');
  if (fsck.status !== 0) lost.push(`git fsck: ${fsck.stderr.trim().split('\n')[0]}`);
  must(root, 'worktree', 'prune');
  const list = must(root, 'worktree', 'list', '--porcelain');
  for (const tree of TREES) {
    const cwd = join(home, tree);
    if (!list.includes(`worktree ${cwd}\n`)) lost.push(`git worktree list lacks ${tree}`);
    if (git(cwd, 'commit', '-q', '-a', '--allow-empty', '-m', 'last').status !== 0)
      lost.push(`${tree} takes no commit any more`);
  }
  for (const [tree, commit] of done)
    if (git(join(home, tree), 'merge-base', '--is-ancestor', commit, tree).status !== 0)
      lost.push(`${tree} lacks its commit ${commit}`);
};

try {
  makeRepository();
  endsAt = Date.now() + Number(values.seconds) * 1000;
  const repairs = values.naive === true ? [repairByAge()] : [repair(), repair()];
  await Promise.all([...TREES.map(commitIn), addTrees(), age(), ...repairs]);
  await check();
  const entries = released();
  const early = entries.filter(({ lock, at }) =>
    spans.some((span) => span.lock === lock && span.fromMs < Date.parse(at) && Date.parse(at) < span.toMs),
  );
  for (const { lock, at } of early) lost.push(`${lock} was released at ${at}, while its git was running`);
  const isTried = tally.kills > 0 && tally.commits > 0 && tally.adds > 0 && entries.length > 0;
  const ok = lost.length === 0 && isTried;
  const outcome = { ...tally, released: entries.length, lost: lost.length, losses: lost.slice(0, 5), ok };
  process.stdout.write(`${JSON.stringify(outcome)}\n`);
  process.exitCode = ok ? 0 : 1;
} finally {
  rmSync(home, { recursive: true, force: true });
}
