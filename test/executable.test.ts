/** What only the executable of `npm run executable` may do differently: embedded files, plug-ins, and whose code it runs. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from '@jest/globals';
import { bareEnvironment } from './cli/run-cli.ts';
import { cleanUp, makeTown } from './support/index.ts';
import { EXECUTABLE } from './support/tested-program.ts';
import { accountName } from './support/user-name.ts';

const ofExecutable = EXECUTABLE === null ? describe.skip : describe;

const run = (cwd: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  spawnSync(EXECUTABLE ?? '', args, { cwd, env: { ...bareEnvironment(), ...env }, encoding: 'utf8' });

ofExecutable('the executable (skipped unless LOCK_DOCTOR_TEST_PROGRAM names it)', () => {
  afterEach(cleanUp);

  test('runs no code and reads no settings of the directory where it is started', () => {
    const town = makeTown();
    const seen = town.path('evil');
    const evil = `require('node:fs').writeFileSync(${JSON.stringify(seen)}, '')`;
    town.write('bunfig.toml', 'preload = ["./evil.js"]\n');
    town.write('evil.js', evil);
    town.write('.env', 'GT_TOWN_ROOT=/no/such\nNODE_OPTIONS=--require ./evil.js\n');
    town.write('package.json', '{"imports":{"#x":"./evil.js"}}');
    town.write('tsconfig.json', '{"compilerOptions":{"paths":{"node:fs":["./evil.js"]}}}');
    expect(run(town.root, ['-q'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(existsSync(seen)).toBe(false);
  });

  test('contains its pages, its help and its completions', () => {
    const page = readFileSync(fileURLToPath(new URL('../checks/stale-lock.md', import.meta.url)), 'utf8');
    expect(run('/', ['explain', 'stale-lock']).stdout).toContain(page.split('\n')[0]?.replace('# ', ''));
    expect(run('/', ['preflight', '--help']).stdout).toMatch(/^doctor preflight /);
    expect(run('/', ['completion', 'bash']).stdout).toContain('doctor');
  });

  test('gives a plug-in our modules, and reports other imports without installing them', () => {
    const town = makeTown();
    town.write(
      'own.mjs',
      `import { defineCheck, describeAge } from 'lock-doctor/check';
       import { Failure } from 'lock-doctor';
       export default defineCheck({ id: 'a/own', title: 'T', summary: \`\${describeAge(90)} \${typeof Failure}\`, run: () => [] });`,
    );
    expect(run(town.root, ['checks', '--plugin', './own.mjs']).stdout).toMatch(/^a\/own +90 s function$/m);
    town.write('other.mjs', `import odd from 'is-odd'; export default odd;`);
    const { status, stderr } = run(town.root, ['checks', '--plugin', './other.mjs']);
    expect(stderr).toContain("Cannot find package 'is-odd'");
    expect(status).toBe(2);
  });

  test('journals the user of the account, whatever $USER says', () => {
    const town = makeTown();
    town.lock('gastown/crew/ada', { session_id: '' });
    expect(run(town.root, ['--fix', '--yes', '-q'], { USER: 'somebody' }).status).toBe(0);
    const { events } = JSON.parse(run(town.root, ['log', '--json']).stdout);
    expect(events[0].by.user).toBe(accountName);
  });

  test('names only itself in the commands that init writes', () => {
    const town = makeTown();
    expect(run(town.root, ['init']).stdout).toContain(`${EXECUTABLE} --fix`);
  });
});
