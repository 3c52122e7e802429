import { afterEach, describe, expect, test } from '@jest/globals';
import { gitTest, makeRepository } from '../situations/repository.ts';
import { cleanUp, makeTown, type TestTown } from '../support/index.ts';
import { doctor } from './run-cli.ts';

afterEach(cleanUp);

const unhealthyTown = (): TestTown => {
  const town = makeTown({ workers: ['gastown/crew/ada', 'gastown/crew/bob', 'beads/crew/cy'] });
  town.lock('gastown/crew/ada', { session_id: '%5555' }, { ageSeconds: 28_800 });
  town.lock('gastown/crew/bob', '', { ageSeconds: 3600 });
  town.lock('beads/crew/cy', { session_id: '%5556' }, { ageSeconds: 60 });
  return town;
};

describe('a selection of locks', () => {
  test.each([
    [['--state', 'invalid'], ['gastown/crew/bob']],
    [
      ['--kind', 'agent', '--under', 'gastown'],
      ['gastown/crew/ada', 'gastown/crew/bob'],
    ],
    [['--under', './crew/ada'], ['gastown/crew/ada']],
    [['--since', '10m'], ['beads/crew/cy']],
    // A lock that does not say when it was taken is as old as its file.
    [
      ['--before', '10m'],
      ['gastown/crew/ada', 'gastown/crew/bob'],
    ],
  ])('%j shows %j', (options, workers) => {
    const town = unhealthyTown();
    for (const command of [[], ['locks']] as const) {
      const { status, stdout } = doctor([...command, ...options, '--json'], { cwd: town.path('gastown') });
      const { locks, summary } = JSON.parse(stdout) as {
        readonly locks: readonly { readonly worker: string }[];
        readonly summary: { readonly locks: number };
      };
      expect([status, locks.map(({ worker }) => worker).sort(), summary.locks]).toEqual([1, workers, 3]);
    }
  });

  test('is marked as partial, and the report and its next commands cover only that part', () => {
    const town = unhealthyTown();
    const { stdout, status } = doctor(['--state', 'stale', '--before', '10m'], { cwd: town.root });
    expect(status).toBe(1);
    expect(stdout).toMatch(/^town .*: 3 locks, 1 shown, /m);
    expect(stdout).toContain('next doctor --fix --worker gastown/crew/ada --town');
    expect(stdout).not.toContain('bob');
    const page = doctor(['--format', 'html', '--state', 'stale', '--before', '10m'], { cwd: town.root });
    expect(page.stdout).toContain('<h3 class="name">gastown/crew/ada</h3>');
    expect(page.stdout).not.toContain('<h3 class="name">gastown/crew/bob</h3>');
  });

  test('narrows the timeline of the HTML page, which says so', () => {
    const town = unhealthyTown();
    doctor(['--fix', '-q'], { cwd: town.root });
    const timeline = (...options: readonly string[]): readonly string[] => {
      const { stdout } = doctor(['--format', 'html', ...options], { cwd: town.root });
      expect(stdout.includes('Only a part is shown, in the timeline too: ')).toBe(options.length > 0);
      const released = stdout.matchAll(/released<\/span> <span class="name">([^<]+)<\/span>/g);
      return [...released].map(([, worker = '']) => worker).sort();
    };
    const all = ['beads/crew/cy', 'gastown/crew/ada', 'gastown/crew/bob'];
    expect(timeline()).toEqual(all);
    expect(timeline('--state', 'invalid')).toEqual(['gastown/crew/bob']);
    expect(timeline('--under', 'gastown')).toEqual(['gastown/crew/ada', 'gastown/crew/bob']);
    expect(timeline('--kind', 'git-lock')).toEqual([]);
    expect(timeline('--since', '1h')).toEqual(all);
    expect(timeline('--before', '1h')).toEqual([]);
  });

  test('without problems is not called healthy if the rest has problems', () => {
    const { stdout, status } = doctor(['--state', 'held'], { cwd: unhealthyTown().root });
    expect([status, stdout.includes('No problems found')]).toEqual([1, false]);
  });

  test.each([
    ['--state', 'held'],
    ['--kind', 'git-worktree'],
    ['--since', '1s'],
    ['--under', 'mayor'],
  ])('%s %s that shows nothing of why the exit code is 1 says so, even with -q', (...options) => {
    const town = unhealthyTown();
    const all = `3 findings are not shown`;
    for (const quiet of [[], ['-q']]) {
      const { stdout, status } = doctor([...options, ...quiet], { cwd: town.root });
      expect([status, stdout]).toEqual([
        1,
        expect.stringContaining(`summary ${all}.\nnext doctor --town ${town.root}\n`),
      ]);
    }
    const rest = doctor(['--state', 'invalid', '-q'], { cwd: town.root });
    expect(rest.stdout).not.toContain('not shown');
  });

  gitTest('--under takes a working tree beside the repository by its whole path too', () => {
    const { root, worktree } = makeRepository();
    const tree = worktree('../beside');
    makeTown({ root: tree, marked: false, workers: [], rigs: {} }).lock('.');
    for (const name of [tree, '../beside']) {
      const { stdout } = doctor(['locks', '--under', name, '--town', root], { cwd: root });
      expect(stdout).toMatch(/^stale \.\.\/beside: /);
    }
    worktree('../idle');
    const idle = doctor(['locks', '--under', '../idle', '--town', root], { cwd: root });
    expect([idle.status, idle.stdout, idle.stderr]).toEqual([1, '', '']);
  });

  test('-v prints when a lock was taken, in a pipe too', () => {
    const { stdout } = doctor(['-v', '--under', 'gastown/crew/ada'], { cwd: unhealthyTown().root });
    expect(stdout).toMatch(/^ {2}lock: taken at \d{4}-\d\d-\d\dT[\d:.]+Z$/m);
  });

  test.each([
    [['--under', 'gastwon'], 'there is no directory "gastwon" in '],
    [['--since', 'soon'], '--since soon: expected an age (30m, 8h, 3d) or a date'],
    [['locks', '--before', '8 parsecs'], '--before 8 parsecs: expected an age'],
    [['--fix', '--state', 'stale'], 'only --worker and --kind can choose what --fix releases'],
    [
      ['--fix', '--kind', 'git-worktre'],
      'no kind of lock "git-worktre" is looked for\nDid you mean git-worktree?',
    ],
  ])('%j is refused', (args, message) => {
    const town = unhealthyTown();
    const { status, stderr } = doctor(args, { cwd: town.root });
    expect([status, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
