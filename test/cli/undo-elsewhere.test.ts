/**
 * `doctor undo` of a run in another directory: without a marker the root is the working directory.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, makeTown, type TestTown } from '../support/index.ts';
import { doctor, documentOf, makeApp } from './run-cli.ts';

afterEach(cleanUp);

const trees = (): TestTown => makeTown({ marked: false, workers: ['feature-1', 'feature-2'] });
const idOf = (town: TestTown, root: string): string => {
  const { stdout } = doctor(['undo', '--list', '--json', '--town', town.path(root)], {});
  return documentOf<{ events: readonly { id: string }[] }>(stdout).events[0]?.id ?? '';
};

describe('undo without a marker', () => {
  test('in a working tree names the run above it that released its lock, with a command that restores it', () => {
    const town = trees();
    const lock = town.lock('feature-2', '');
    town.lock('feature-1', '');
    expect(doctor(['--fix', '--yes'], { cwd: town.root }).status).toBe(0);
    const here = { cwd: town.path('feature-2') };
    const { status, stdout } = doctor(['undo'], here);
    const [, command = ''] = /: doctor (undo .*)\n$/.exec(stdout) ?? [];
    const said = `The lock of ${town.path('feature-2')} was released by a run in ${town.root}: doctor ${command}\n`;
    expect([status, stdout]).toEqual([1, said]);
    expect(doctor(['undo', '--list'], here)).toMatchObject({ status: 0, stdout: said });
    expect(doctor(['log'], here)).toMatchObject({
      status: 0,
      stdout: `1 event here is in the journal of ${town.root}: doctor log --town ${town.root}\n`,
    });
    for (const args of [
      ['undo', '--list', '--json'],
      ['log', '--json'],
    ])
      expect(documentOf(doctor(args, here).stdout)).toMatchObject({
        events: [],
        elsewhere: [{ root: town.root, events: 1 }],
      });
    const document = documentOf(doctor(['undo', '--json'], here).stdout);
    expect(document).toMatchObject({ run: null, elsewhere: [{ root: town.root, directory: here.cwd }] });
    expect(doctor(command.split(' '), here)).toMatchObject({ status: 0 });
    expect([existsSync(lock), existsSync(town.path('feature-1/.runtime/agent.lock'))]).toEqual([true, false]);
    expect(doctor(['undo'], here)).toMatchObject({ status: 0, stdout: 'nothing to undo\n' });
  });

  test('takes back with one command what one run released, where all of it is here', () => {
    const names = ['feature-1', 'feature-2', 'feature-3', 'feature-4'];
    const { town, app } = makeApp(names.map((name) => `../${name}`));
    const locks = names.map((name) => town.lock(name, ''));
    doctor(['--fix', '--yes'], { cwd: town.root });
    const here = { cwd: app };
    const run = idOf(town, '.').replace(/-\d+$/, '');
    const said = `The locks of ${town.path('feature-1')}, ${town.path('feature-2')} and 2 others were released by a run in ${town.root}: doctor undo ${run} --town ${town.root}\n`;
    expect(doctor(['undo', '--list'], here).stdout).toBe(said);
    expect(doctor(['undo'], here)).toMatchObject({ status: 1, stdout: said });
    expect(documentOf(doctor(['undo', '--json'], here).stdout)).toMatchObject({
      elsewhere: names.map(() => ({ root: town.root, run })),
    });
    expect(doctor(['undo', run, '--town', town.root], here).status).toBe(0);
    expect(locks.map((lock) => existsSync(lock))).toEqual([true, true, true, true]);

    // A lock of somebody else went with them: nothing restores that one unasked.
    town.lock('other', '');
    doctor(['--fix', '--yes'], { cwd: town.root });
    expect(doctor(['undo'], here).stdout.match(/doctor undo \S+-\d+ --town /g)).toHaveLength(4);
  });

  test('above the working trees names the run in one of them', () => {
    const town = trees();
    town.lock('feature-2', '');
    doctor(['--fix', '--yes'], { cwd: town.path('feature-2') });
    const { status, stdout } = doctor(['undo'], { cwd: town.root });
    const id = idOf(town, 'feature-2');
    expect([status, stdout]).toEqual([
      1,
      `The lock of ${town.path('feature-2')} was released by a run in ${town.path('feature-2')}: doctor undo ${id} --town ${town.path('feature-2')}\n`,
    ]);
  });

  test('in a repository names the run in a worktree beside it, but not the reverse', () => {
    const { town, app } = makeApp(['../feature-1', '../feature-2']);
    town.lock('feature-1', '');
    doctor(['--fix', '--yes'], { cwd: town.path('feature-1') });
    const { status, stdout } = doctor(['undo'], { cwd: app });
    const [, command = ''] = /: doctor (undo .*)\n$/.exec(stdout) ?? [];
    expect([status, stdout]).toEqual([
      1,
      `The lock of ${town.path('feature-1')} was released by a run in ${town.path('feature-1')}: doctor ${command}\n`,
    ]);
    expect(doctor(['undo'], { cwd: town.path('feature-2') }).stdout).toBe('nothing to undo\n');
    expect(doctor(command.split(' '), { cwd: app })).toMatchObject({ status: 0 });
    expect(existsSync(town.path('feature-1/.runtime/agent.lock'))).toBe(true);
  });

  test('with the ID of such a run says where it ran', () => {
    const town = trees();
    town.lock('feature-2', '');
    doctor(['--fix', '--yes'], { cwd: town.root });
    const id = idOf(town, '.');
    const { status, stderr } = doctor(['undo', id], { cwd: town.path('feature-2') });
    expect([status, stderr]).toEqual([
      2,
      `doctor: no run "${id}" in the journal of ${town.path('feature-2')}\nTry: doctor undo ${id} --town ${town.root}\n`,
    ]);
  });

  test('does not mention releases in other trees', () => {
    const town = trees();
    town.lock('feature-1', '');
    doctor(['--fix', '--yes'], { cwd: town.root });
    expect(doctor(['undo'], { cwd: town.path('feature-2') })).toMatchObject({
      status: 0,
      stdout: 'nothing to undo\n',
    });
  });

  test('restores nothing where a later run in another root released a lock here, and names both runs', () => {
    const town = trees();
    const [first, second] = [town.lock('feature-1', ''), town.lock('feature-2', '')];
    const isThere = () => [first, second].map((lock) => existsSync(lock));
    doctor(['--fix', '--yes', '--worker', 'feature-1'], { cwd: town.root });
    // Ids tell runs apart by the second.
    spawnSync('sleep', ['1.1']);
    doctor(['--fix', '--yes'], { cwd: town.path('feature-2') });
    expect(isThere()).toEqual([false, false]);
    const here = { cwd: town.root };
    const { status, stdout } = doctor(['undo'], here);
    const commands = [...stdout.matchAll(/: doctor (undo .*)\n/g)].map(([, command = '']) =>
      command.split(' '),
    );
    expect([status, stdout]).toEqual([
      1,
      `The lock of ${town.path('feature-2')} was released by a run in ${town.path('feature-2')}: doctor ${commands[0]?.join(' ')}
Nothing was restored: that was later than the last run here, which you restore with: doctor ${commands[1]?.join(' ')}
`,
    ]);
    expect(documentOf(doctor(['undo', '--json'], here).stdout)).toMatchObject({
      run: null,
      results: [],
      elsewhere: [{ root: town.path('feature-2') }],
    });
    expect(isThere()).toEqual([false, false]);
    expect(doctor(commands[1] ?? [], here).status).toBe(0);
    expect(isThere()).toEqual([true, false]);
    expect(doctor(commands[0] ?? [], here).status).toBe(0);
    expect(isThere()).toEqual([true, true]);
    expect(doctor(['undo'], here)).toMatchObject({ status: 0 });
  });
});
