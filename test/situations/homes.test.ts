/** `--home` checks what tools keep in the user's home, and nothing else in it; a tool's directory may be the root. */
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync, utimesSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import { homeDirectories } from '../../src/kinds-of.ts';
import { doctor } from '../cli/run-cli.ts';
import { cleanUp, makeTown, startProcess } from '../support/index.ts';
import { hostTest } from './stage.ts';

afterEach(cleanUp);

const HOUR_S = 3600;

const ended = (): number => spawnSync('true').pid;

/** A home with locks of tools, of dead processes and of a live one, and with an agent's lock that must be ignored. */
const makeHome = (living: number) => {
  const home = makeTown({ marked: false, workers: [], rigs: {} });
  const old = (name: string, text: string): string => {
    const path = home.write(name, text);
    const then = Date.now() / 1000 - HOUR_S;
    utimesSync(path, then, then);
    return path;
  };
  const createdAt = new Date(Date.now() - HOUR_S * 1000).toISOString();
  const codex = old('.codex/app-server-daemon/app-server.pid', `${ended()}`);
  const gateway = old('.openclaw/gateway.lock', JSON.stringify({ pid: ended(), createdAt }));
  const copilot = home.write(`.copilot/session-state/0f-1e/inuse.${living}.lock`, '');
  home.lock('projects/app', { pid: ended() });
  const run = (...args: string[]) => doctor(args, { cwd: home.root, env: { HOME: home.root } });
  const report = (...args: string[]): Report => JSON.parse(run(...args, '--json').stdout);
  return { home, codex, gateway, copilot, run, report };
};

const idsOf = ({ locks }: Report): readonly string[] => locks.map(({ id }) => id).sort();

hostTest('--home finds only locks of tools, releases them on proof, and undo restores them', async () => {
  const { pid } = await startProcess('sleep', ['600'], { cwd: '/' });
  const { home, codex, gateway, copilot, run, report } = makeHome(pid);
  const seen = report('--home');
  expect(seen.town).toMatchObject({ root: home.root, source: 'home' });
  expect(seen.locks.map(({ kind, state }) => [kind, state]).sort()).toEqual([
    ['codex', 'stale'],
    ['copilot', 'held'],
    ['openclaw', 'stale'],
  ]);
  expect(seen.agents).toEqual([]);
  for (const [next = []] of seen.findings.map((finding) => finding.next)) {
    expect(next).toContain('--home');
    expect(next).not.toContain('--town');
  }
  expect(idsOf(report('locks', '--home'))).toEqual(idsOf(seen));
  expect(run('--home').stdout).toContain(`${home.root} (only what tools keep there): 3 locks`);
  expect(run('explain', '.codex', '--home').stdout).toContain('doctor --fix --worker .codex --home');
  expect(existsSync(home.path('.local'))).toBe(false);

  const before = lstatSync(codex).ino;
  expect(report('--home', '--fix', '--yes', '--kind', 'codex').summary?.fixed).toBe(1);
  expect([existsSync(codex), existsSync(gateway), existsSync(copilot)]).toEqual([false, true, true]);
  expect(run('undo', '--list', '--home').stdout).toMatch(/undo: doctor undo \S+ --home/);
  expect(run('undo', '--home').status).toBe(0);
  expect(lstatSync(codex).ino).toBe(before);

  expect(report('--home', '--fix', '--yes').summary?.fixed).toBe(2);
  expect([existsSync(codex), existsSync(gateway), existsSync(copilot)]).toEqual([false, false, true]);
  expect(existsSync(home.path('.runtime'))).toBe(false);
  expect(readFileSync(home.path('.local/state/lock-doctor/journal.jsonl'), 'utf8')).toContain('"codex"');
  expect(run('undo', '--home').status).toBe(0);
  expect([existsSync(codex), existsSync(gateway)]).toEqual([true, true]);
});

hostTest('locks of a home are searched for only with --home or below the directory of their tool', () => {
  const { home, codex, report, run } = makeHome(ended());
  expect(idsOf(report('--town', home.root))).toEqual(['agent:projects/app']);
  const unasked = run('--town', home.root, '--fix', '--kind', 'codex');
  expect(unasked.status).toBe(2);
  expect(unasked.stderr).toContain('doctor --home');
  expect(idsOf(report('--town', home.path('.codex')))).toEqual(['codex:app-server-daemon/app-server.pid']);
  expect(report('--town', home.path('.codex'), '--fix', '--yes').summary?.fixed).toBe(1);
  expect(existsSync(codex)).toBe(false);
  expect(run('undo', '--town', home.path('.codex')).status).toBe(0);
  expect(existsSync(codex)).toBe(true);
});

hostTest("a tool's directory as the root shows the locks directly in it", () => {
  const { home, gateway, report, run } = makeHome(ended());
  const at = (name: string): readonly string[] => idsOf(report('--town', home.path(name)));
  home.write('app/.claude/scheduled_tasks.lock', `{"sessionId":"a","pid":${ended()}}`);
  home.write('app/.beads/embeddeddolt/.lock', '');
  expect(at('app/.claude')).toEqual(['claude-scheduler:scheduled_tasks.lock']);
  const [[mark = '']] = [idsOf(report('--home')).filter((id) => id.startsWith('copilot:'))];
  for (const place of ['.copilot', '.copilot/session-state', '.copilot/session-state/0f-1e'])
    expect(at(place)).toEqual([mark.replace(`${place}/`, '')]);

  expect(report('--town', home.path('.openclaw')).locks).toMatchObject([
    { id: 'openclaw:gateway.lock', worker: '.', state: 'stale' },
  ]);
  const { ino } = lstatSync(gateway);
  expect(report('--town', home.path('.openclaw'), '--fix', '--yes').summary).toMatchObject({
    fixed: 1,
    locks: 0,
  });
  expect(existsSync(gateway)).toBe(false);
  expect(run('undo', '--town', home.path('.openclaw')).status).toBe(0);
  expect(lstatSync(gateway).ino).toBe(ino);
});

hostTest("--home without any tool's directory finds no locks", () => {
  const home = makeTown({ marked: false, workers: [], rigs: {} });
  home.lock('projects/app', { pid: ended() });
  const { status, stdout } = doctor(['--home'], { env: { HOME: home.root } });
  const { locks, findings } = JSON.parse(
    doctor(['--home', '--json'], { env: { HOME: home.root } }).stdout,
  ) as Report;
  expect({ locks, findings }).toEqual({ locks: [], findings: [] });
  expect([0, 22]).toContain(status);
  expect(stdout).not.toContain('agent');
  if (status === 0)
    expect(stdout).toBe(`ok ${home.root} (only what tools keep there): No locks. No problems found.\n`);
});

hostTest("--home does not follow a tool's directory that is a symlink, and reports a gap", () => {
  const { home, codex, report } = makeHome(ended());
  const text = readFileSync(codex, 'utf8');
  rmSync(home.path('.codex'), { recursive: true });
  home.write('dotfiles/codex/app-server-daemon/app-server.pid', text);
  symlinkSync('dotfiles/codex', home.path('.codex'));
  const { locks, gaps } = report('--home');
  expect(locks.map(({ kind }) => kind)).not.toContain('codex');
  expect(gaps).toContainEqual({
    what: `directory:${home.path('.codex')}`,
    why: 'is a symbolic link, which is not followed',
  });
});

hostTest('a home that contains the journal of an older version keeps it there', () => {
  const { home, report } = makeHome(ended());
  mkdirSync(home.path('.runtime/lock-doctor'), { recursive: true });
  expect(report('--home', '--fix', '--yes', '--kind', 'codex').summary?.fixed).toBe(1);
  expect(existsSync(home.path('.runtime/lock-doctor/journal.jsonl'))).toBe(true);
  expect(existsSync(home.path('.local'))).toBe(false);
});

test('--home is refused with a town, other machines or saved evidence, and without a home', () => {
  for (const args of [['--town', '/'], ['/'], ['--on', 'here'], ['--from-snapshot', 'x']])
    expect(doctor(['--home', ...args]).status).toBe(2);
  expect(doctor(['--home'], { env: { HOME: '' } })).toMatchObject({ status: 2 });
  expect(doctor(['--home'], { env: { HOME: '/no/such' } })).toMatchObject({ status: 2 });
});

test('help lists the directories of --home', () => {
  const { stdout } = doctor(['--help']);
  for (const name of homeDirectories()) expect(stdout.replace(/\s+/g, ' ')).toContain(`~/${name}`);
});
