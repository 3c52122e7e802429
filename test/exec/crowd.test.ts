/**
 * Fifty runs of `exec` at once on one worker.
 * Runs in a PID namespace: our own records name their holder by more than a PID.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, afterEach, describe, expect, test } from '@jest/globals';
import { cleanUp, makeTown, until } from '../support/index.ts';
import { buildCli } from './built-cli.ts';
import { ADA } from './lasting.ts';

const CROWD = 50;
const cli = buildCli();

/** Detects two commands inside at once, because mkdir succeeds for only one. Logs `ran` for every command that ran. */
const WITNESS = 'mkdir inside && echo ran >> log || echo overlap >> log; sleep 0.02; rmdir inside';

afterAll(cli.remove);

describe('fifty runs at once on one worker', () => {
  afterEach(cleanUp);

  test('all run one at a time if they wait for each other', async () => {
    const town = makeTown();
    const args = ['exec', '--town', town.root, '--no-cd', '--wait', '300', ADA, '--', 'sh', '-c', WITNESS];
    const all = await Promise.all(Array.from({ length: CROWD }, () => cli.run(args, { cwd: town.root })));
    const failures = [
      ...new Set(all.filter(({ code }) => code !== 0).map(({ code, stderr }) => `${code} ${stderr}`)),
    ];
    expect(failures).toEqual([]);
    expect(readFileSync(town.path('log'), 'utf8')).toBe('ran\n'.repeat(CROWD));
    expect(readdirSync(town.path(ADA, '.runtime')).sort()).toEqual(['.gitignore', 'agent.lock.flock']);
  }, 240_000);

  test('one runs and the others are refused if none of them waits', async () => {
    const town = makeTown();
    const script = `${WITNESS}; exec sleep 600`;
    const runs = Array.from({ length: CROWD }, () =>
      cli.start(['exec', '--town', town.root, '--no-cd', ADA, '--', 'sh', '-c', script], { cwd: town.root }),
    );
    const isRefusal = (code: number | null): boolean => code === 20 || code === 22;
    const codes: (number | null)[] = [];
    const rest = new Set(runs);
    for (const run of runs)
      void run.ended.then(({ code }) => {
        codes.push(code);
        rest.delete(run);
      });
    await until(() => codes.length === CROWD - 1, 'the refusals', 120_000);
    expect(codes.filter((code) => !isRefusal(code))).toEqual([]);
    expect(codes.filter((code) => code === 20).length).toBeGreaterThan(0);
    expect(readFileSync(town.path('log'), 'utf8')).toBe('ran\n');
    const [winner] = [...rest];
    winner?.child.kill('SIGTERM');
    expect((await winner?.ended)?.code).toBe(143);
    expect(readdirSync(town.path(ADA, '.runtime')).sort()).toEqual(['.gitignore', 'agent.lock.flock']);
  }, 240_000);
});
