/**
 * The owner of a worker's directory swaps its `.runtime` for a symlink to a directory of root's while root repairs and takes the
 * lock: nothing may be created, changed or removed in the symlink's target.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Lock } from '../../src/lock/agent-lock.ts';
import { LockError } from '../../src/lock/errors.ts';
import { makeRunId } from '../../src/lock/files/names.ts';
import { repairLeftovers } from '../../src/repair/leftovers.ts';
import { undoReleases } from '../../src/repair/undo.ts';
import { applyRelease } from '../lock/support/release.ts';
import { quickJudge, readLockFile } from './quick-judge.ts';

export interface SwapRace {
  readonly rounds: number;
  /** Successful operations, of which there must be some; otherwise nothing was tested. */
  readonly through: number;
  /** Files created, changed or removed in the symlink's target. */
  readonly elsewhere: readonly string[];
  /** Unexpected errors. */
  readonly errors: readonly string[];
}

const DEAD = '{"pid": 4194305, "acquired_at": "2026-01-01T00:00:00Z"}';
const ATTACKER = 65_534;

/** Why the race cannot be run here, or null. */
export const whyNoRace = (): string | null => {
  if (process.platform !== 'linux') return 'it needs renameat2(2) of Linux';
  if (process.getuid?.() !== 0) return 'it needs root, to be an attacker and a victim';
  return spawnSync('cc', ['--version']).status === 0 ? null : 'it needs a C compiler';
};

/** Runs the race for this time, in an empty directory that the attacker may enter. `doctor` also runs as root. */
export const raceSwap = async (
  home: string,
  source: string,
  milliseconds: number,
  doctor: readonly string[] | null = null,
): Promise<SwapRace> => {
  const town = join(home, 'town');
  const worker = join(town, 'w');
  const directory = join(worker, '.runtime');
  const victim = join(home, 'victim');
  mkdirSync(directory, { recursive: true });
  mkdirSync(victim);
  for (const name of ['agent.lock', 'agent.lock.0123456789abcdef.new', 'agent.lock.0123456789abcdef.old'])
    writeFileSync(join(victim, name), DEAD);
  symlinkSync(victim, join(worker, 'link'));
  for (const path of [worker, directory]) chownSync(path, ATTACKER, ATTACKER);
  const before = contents(victim);
  const attacker = await startAttacker(home, source, directory, join(worker, 'link'));
  const errors: string[] = [];
  let rounds = 0;
  let through = 0;
  const endsAt = performance.now() + milliseconds;
  const programs = doctor === null ? null : runDoctors(doctor, town, endsAt);
  try {
    for (; performance.now() < endsAt; rounds += 1) {
      through += await round(town, worker, directory, errors);
      if (attacker.exitCode !== null) throw new Error(`the attacker ended with ${attacker.exitCode}`);
    }
  } finally {
    await programs;
    attacker.kill('SIGKILL');
  }
  const after = contents(victim);
  const elsewhere = [...new Set([...before.keys(), ...after.keys()])].filter(
    (name) => before.get(name) !== after.get(name),
  );
  return { rounds, through, elsewhere, errors };
};

/** Runs each writing operation once; returns how many succeeded. */
const round = async (town: string, worker: string, directory: string, errors: string[]): Promise<number> => {
  let through = 0;
  const options = { townRoot: town, judge: quickJudge, guardTimeoutMs: 0 };
  const lock = new Lock(worker, { judge: quickJudge, guardTimeoutMs: 0 });
  try {
    // In the name of a dead process, so that a lock that could not be released does not block the next rounds.
    await lock.acquire({ companion: true, holder: { pid: 4_194_305, startToken: '1' } });
    through += 1;
    await lock.release();
  } catch (error) {
    if (!(error instanceof LockError)) errors.push(String(error));
  }
  const seen = readLockFile(join(directory, 'agent.lock'), 'w');
  if (seen !== null) {
    const step = { lock: seen, state: 'stale' as const, force: false };
    const { status } = await applyRelease(step, makeRunId(Date.now()), 1, options);
    if (status === 'fixed') through += 1;
  }
  const undone = await undoReleases(null, options);
  if (undone.outcomes.some(({ status }) => status === 'restored')) through += 1;
  await repairLeftovers(`${directory}/agent.lock`, options);
  return through;
};

/** Runs one program after the other, at the same time as the library's rounds. */
const runDoctors = async (
  [program = '', ...args]: readonly string[],
  town: string,
  endsAt: number,
): Promise<void> => {
  for (let run = 0; performance.now() < endsAt; run += 1) {
    const what =
      run % 2 === 0 ? ['--fix', '--yes', '--town', town] : ['exec', '--town', town, 'w', '--', '/bin/true'];
    const env = { PATH: process.env.PATH, TMUX_TMPDIR: town };
    const child = spawn(program, [...args, ...what], { cwd: '/', env, stdio: 'ignore' });
    await new Promise((ended) => child.once('exit', ended));
  }
};

const startAttacker = async (
  home: string,
  source: string,
  directory: string,
  link: string,
): Promise<ChildProcess> => {
  const program = join(home, 'swap');
  const compiled = spawnSync('cc', ['-O1', '-o', program, source], { encoding: 'utf8' });
  if (compiled.status !== 0) throw new Error(compiled.stderr);
  const attacker = spawn(program, [directory, link, DEAD], {
    uid: ATTACKER,
    gid: ATTACKER,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await new Promise<void>((ready, reject) => {
    attacker.stdout?.once('data', () => ready());
    attacker.once('error', reject);
    attacker.once('exit', (code) => reject(new Error(`the attacker ended with ${code}`)));
  });
  return attacker;
};

const contents = (directory: string): ReadonlyMap<string, string> =>
  new Map(readdirSync(directory).map((name) => [name, readFileSync(join(directory, name), 'latin1')]));
