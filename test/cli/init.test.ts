import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { cronLine, systemdUnits } from '../../src/cli/init/parts.ts';
import { FORMER_HOOK_COMMANDS, HOOK_COMMAND, HOOK_TEXT } from '../../src/cli/init/texts.ts';
import { parseConfig } from '../../src/read-config.ts';
import { cleanUp, hasTmux, makeTown, type TestTown, until } from '../support/index.ts';
import { doctor, doctorInPane } from './run-cli.ts';

afterEach(cleanUp);

interface Place {
  readonly town: TestTown;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** A repository as the town, and a separate home directory. */
const place = (shell = '/bin/bash'): Place => {
  const town = makeTown({ marked: false, workers: ['app', 'home'] });
  spawnSync('git', ['init', '-q', town.path('app')]);
  return { town, env: { HOME: town.path('home'), XDG_CONFIG_HOME: undefined, SHELL: shell } };
};

const init = ({ town, env }: Place, ...args: readonly string[]) =>
  doctor(['init', ...args], { cwd: town.path('app'), env });

/** All files below a directory, except those of git. */
const filesIn = (directory: string): readonly string[] =>
  readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => !/(?:^|\/)\.git\//.test(name) && lstatSync(join(directory, name)).isFile())
    .sort();

describe('doctor init', () => {
  test('shows everything and writes nothing', () => {
    const here = place();
    const { status, stdout, stderr } = init(here);
    expect([status, stderr]).toEqual([0, '']);
    for (const part of ['config: ', 'gitignore: ', 'hook: ', 'completion: ', 'timer: '])
      expect(stdout).toContain(part);
    expect(stdout).toContain('  // "agents": ["my-agent"],');
    expect(stdout).toMatch(
      /^Write with: doctor init --write config,gitignore,hook,completion(,timer)? --town /m,
    );
    expect(filesIn(here.town.root)).toEqual([]);
  });

  test('--write writes only the named parts, and the next run leaves them alone', () => {
    const here = place();
    const { status, stdout } = init(here, '--write', 'config,gitignore', '--write', 'hook,completion');
    expect(status).toBe(0);
    expect(stdout.match(/ written$| line added$/gm)).toHaveLength(4);
    expect(filesIn(here.town.root)).toEqual([
      'app/.claude/settings.json',
      'app/.gitignore',
      'app/lock-doctor.json',
      'home/.local/share/bash-completion/completions/doctor',
    ]);
    expect(readFileSync(here.town.path('app/.gitignore'), 'utf8')).toBe('.runtime/\n');
    const again = init(here, '--write', 'config,gitignore,hook,completion');
    expect([again.status, again.stdout.match(/already there$/gm)?.length]).toEqual([0, 4]);
    // The written files work.
    expect(doctor([], { cwd: here.town.path('app'), env: here.env }).stderr).toBe('');
    const script = here.town.path('home/.local/share/bash-completion/completions/doctor');
    expect(spawnSync('bash', ['-n', script]).status).toBe(0);
    const ignored = spawnSync('git', ['check-ignore', '.runtime/agent.lock'], { cwd: here.town.path('app') });
    expect(ignored.status).toBe(0);
  });

  test('shows the hook that an earlier version wrote, and replaces it, once', () => {
    const here = place();
    const before = HOOK_TEXT.replace(JSON.stringify(HOOK_COMMAND), JSON.stringify(FORMER_HOOK_COMMANDS[0]));
    here.town.write('app/.claude/settings.json', before);
    const { stdout } = init(here);
    expect(stdout).toContain('settings.json (our earlier one would be replaced)\n');
    expect(stdout).toMatch(/^ {4}- .*doctor preflight -q /m);
    expect(stdout).toMatch(/^ {4}\+ .*doctor preflight --for prompt -q /m);
    const written = init(here, '--write', 'hook');
    expect([written.status, written.stdout]).toEqual([0, expect.stringContaining(' hook renewed (backup: ')]);
    expect(readFileSync(here.town.path('app/.claude/settings.json'), 'utf8')).toBe(HOOK_TEXT);
    const files = filesIn(here.town.root);
    expect(files.filter((name) => name.includes('.before-'))).toHaveLength(1);
    expect(init(here, '--write', 'hook').stdout).toContain(' already there');
    expect(filesIn(here.town.root)).toEqual(files);
  });

  test('overwrites nothing, and adds a missing line even after a line without a newline', () => {
    const here = place();
    here.town.write('app/lock-doctor.json', '{ "failOn": "error" }\n');
    here.town.write('app/.gitignore', 'node_modules');
    const { status, stdout } = init(here, '--write', 'config,gitignore');
    expect(status).toBe(1);
    expect(stdout).toContain('lock-doctor.json unchanged: something else is there');
    expect(readFileSync(here.town.path('app/lock-doctor.json'), 'utf8')).toBe('{ "failOn": "error" }\n');
    expect(readFileSync(here.town.path('app/.gitignore'), 'utf8')).toBe('node_modules\n.runtime/\n');
    here.town.write('app/.gitignore', '/.runtime\n');
    expect(init(here, '--write', 'gitignore').stdout).toContain(' already there');
  });

  describe('existing settings of Claude Code', () => {
    const SETTINGS = '{\n    "permissions": { "allow": ["Bash(ls:*)"] },\n    "model": "opus"\n}\n';
    const file = 'app/.claude/settings.json';

    test('get the hook after the change is shown, and the original stays beside the new file', () => {
      const here = place();
      here.town.write(file, SETTINGS);
      chmodSync(here.town.path(file), 0o600);
      const shown = init(here).stdout;
      expect(shown).toContain(`${here.town.path(file)} (this would be added)`);
      expect(shown).toMatch(/^ {4}\+ {5}"hooks": \{$/m);
      expect(shown).toMatch(/^ {4}- {5}"model": "opus"$/m);
      expect(shown).toMatch(/^Write with: doctor init --write \S*hook/m);
      expect(readFileSync(here.town.path(file), 'utf8')).toBe(SETTINGS);

      const { status, stdout } = init(here, '--write', 'hook');
      expect([status, stdout]).toEqual([0, expect.stringContaining('hook added (backup: ')]);
      const settings = JSON.parse(readFileSync(here.town.path(file), 'utf8'));
      expect(settings).toMatchObject({ ...JSON.parse(SETTINGS), hooks: { UserPromptSubmit: [{}] } });
      expect(lstatSync(here.town.path(file)).mode & 0o777).toBe(0o600);
      const kept = readdirSync(here.town.path('app/.claude')).filter((name) => name.includes('.before-'));
      expect(kept).toHaveLength(1);
      expect(readFileSync(here.town.path(`app/.claude/${kept[0]}`), 'utf8')).toBe(SETTINGS);
      expect(readdirSync(here.town.path('app/.claude'))).toHaveLength(2);
      expect(init(here, '--write', 'hook').stdout).toContain(' already there');
    });

    test.each([
      ['that are not JSON', '{ "model": "opus", }', 'unchanged: it is not valid JSON'],
      ['whose hooks are not an object', '{"hooks": []}', 'unchanged: its "hooks" is not an object'],
    ])('%s are refused with the reason', (_, text, why) => {
      const here = place();
      here.town.write(file, text);
      const { status, stdout } = init(here, '--write', 'hook');
      expect([status, stdout]).toEqual([1, expect.stringContaining(why)]);
      expect(readFileSync(here.town.path(file), 'utf8')).toBe(text);
      expect(readdirSync(here.town.path('app/.claude'))).toEqual(['settings.json']);
      expect(init(here).stdout).toContain(why);
    });

    test('that are a symlink are left alone', () => {
      const here = place();
      here.town.write('elsewhere/settings.json', SETTINGS);
      mkdirSync(here.town.path('app/.claude'));
      symlinkSync(here.town.path('elsewhere/settings.json'), here.town.path(file));
      const { status, stdout } = init(here, '--write', 'hook');
      expect([status, stdout]).toEqual([1, expect.stringContaining('it is not a regular file')]);
      expect(readFileSync(here.town.path('elsewhere/settings.json'), 'utf8')).toBe(SETTINGS);
    });
  });

  test('writes nothing through a symlink', () => {
    const here = place();
    mkdirSync(here.town.path('elsewhere'));
    symlinkSync(here.town.path('elsewhere'), here.town.path('app/.claude'));
    here.town.write('elsewhere/ignore', '');
    symlinkSync(here.town.path('elsewhere/ignore'), here.town.path('app/.gitignore'));
    symlinkSync(here.town.path('elsewhere/config'), here.town.path('app/lock-doctor.json'));
    const { status, stdout } = init(here, '--write', 'hook,gitignore,config');
    expect([status, stdout.match(/ not written: | unchanged: /g)?.length]).toEqual([1, 3]);
    expect(filesIn(here.town.path('elsewhere'))).toEqual(['ignore']);
    expect(readFileSync(here.town.path('elsewhere/ignore'), 'utf8')).toBe('');
  });

  test.each([
    ['/usr/bin/zsh', 'home/.zfunc/_doctor'],
    ['/usr/bin/fish', 'home/.config/fish/completions/doctor.fish'],
  ])('writes the completions for %s', (shell, file) => {
    const here = place(shell);
    expect(init(here, '--write', 'completion')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining(' written\n'),
    });
    expect(existsSync(here.town.path(file))).toBe(true);
  });

  test('says what to do by hand where it cannot write a part', () => {
    const here = place('/bin/tcsh');
    const bare = {
      ...here,
      town: { ...here.town, path: (...parts: string[]) => here.town.path('home', ...parts.slice(1)) },
    };
    const { status, stdout } = init(bare, '--write', 'completion,gitignore');
    expect(status).toBe(1);
    expect(stdout).toContain('Your shell is not bash, zsh or fish.');
    expect(stdout).toContain('Add .runtime/ to the .gitignore of each repository in it.');
  });

  test('refuses an unknown part', () => {
    const { status, stderr } = init(place(), '--write', 'confg');
    expect([status, stderr]).toEqual([2, expect.stringContaining('Did you mean config?')]);
  });
});

(hasTmux ? describe : describe.skip)('doctor init at a terminal (skipped without tmux)', () => {
  const ask = async (here: Place) => {
    const run = await doctorInPane(
      ['init', '--no-color'],
      { columns: 100, rows: 200 },
      { cwd: here.town.path('app'), env: here.env },
    );
    await run.shows(/Write these \d parts \([a-z, ]+\)\? \[y\]es, \[N\]o, \[p\]ick:/);
    return run;
  };

  test('asks, and writes nothing on Enter', async () => {
    const here = place();
    const run = await ask(here);
    run.type('Enter');
    expect(await run.ends()).toMatchObject({
      status: 0,
      screen: expect.stringMatching(/Nothing was written\.$/),
    });
    expect(filesIn(here.town.root)).toEqual([]);
  });

  test('says that nothing was changed after Ctrl-C', async () => {
    const here = place();
    const run = await ask(here);
    run.type('C-c');
    expect(await run.ends()).toMatchObject({
      status: 130,
      screen: expect.stringMatching(/doctor: interrupted; nothing was changed$/),
    });
    expect(filesIn(here.town.root)).toEqual([]);
  });

  test('breaks no word at 40 columns, and keeps what is to be pasted whole', async () => {
    const here = place('/usr/bin/zsh');
    const run = await doctorInPane(
      ['init', '--no-color', '--write', 'completion,gitignore'],
      { columns: 40, rows: 60 },
      { cwd: here.town.path('app'), env: here.env },
    );
    const { screen } = await run.ends();
    expect(screen).toMatch(
      /^ {2}Add this line to ~\/\.zshrc, before\n {4}compinit:\n {6}fpath\+=~\/\.zfunc$/m,
    );
    expect(screen).toMatch(/\.gitignore\s+written$/m);
  });

  test('writes the parts picked with p', async () => {
    const here = place();
    const run = await ask(here);
    run.type('p', 'Enter');
    for (const [part, answer] of [
      ['config', 'y'],
      ['gitignore', 'n'],
      ['hook', 'y'],
      ['completion', 'n'],
    ] as const) {
      await run.shows(`Write ${part}? [y]es, [N]o:`);
      run.type(answer, 'Enter');
    }
    await until(() => /Write timer\?|exit=/.test(run.screen()), 'the next question or the end');
    if (!run.screen().includes('exit=')) run.type('Enter');
    expect((await run.ends()).status).toBe(0);
    expect(filesIn(here.town.root)).toEqual(['app/.claude/settings.json', 'app/lock-doctor.json']);
  });
});

describe('the timer', () => {
  const hostile = { root: '/srv/a b%$"\\\'', program: ['/opt/no de/bin/node', '/x/doctor.js'] as const };

  test('names the town, and quotes what systemd would interpret', () => {
    const { name, service } = systemdUnits(hostile);
    expect(name).toBe('lock-doctor-a-b-----');
    expect(service).toContain(
      String.raw`ExecStart="/opt/no de/bin/node" "/x/doctor.js" "--fix" "-q" "--town" "/srv/a b%%$$\"\\'"`,
    );
    expect(systemdUnits({ ...hostile, root: '/' }).name).toBe('lock-doctor-root');
  });

  test('for cron is one line with escaped percent signs, which a shell reads as the same command', () => {
    const line = cronLine({ ...hostile, program: ['printf', '%s|'] });
    expect(line).toMatch(/^\*\/5 \* \* \* \* printf /);
    const command = line.slice('*/5 * * * * '.length).replaceAll('\\%', '%');
    expect(spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout).toBe(
      `--fix|-q|--town|${hostile.root}|`,
    );
  });
});

describe('the configuration', () => {
  test('may have comments, which are not recognized inside strings', () => {
    const text = `// one
    { /* two
      */ "agents": ["a//b", "/* c */", "d\\"//e"], // three
      "failOn": "error" }`;
    expect(parseConfig(text, 'x')).toMatchObject({ agents: ['a//b', '/* c */', 'd"//e'], failOn: 'error' });
    expect(() => parseConfig('{ // nothing ends this', 'x')).toThrow('is not JSON');
  });

  test('that init writes only states defaults, and is valid with every line uncommented', () => {
    const here = place();
    init(here, '--write', 'config');
    const text = readFileSync(here.town.path('app/lock-doctor.json'), 'utf8');
    expect(parseConfig(text, 'x')).toMatchObject({ agents: [], failOn: 'warning' });
    const all = text.replace(/^ {2}\/\/ (".*)$/gm, '  $1');
    const schema = JSON.parse(
      readFileSync(new URL('../../schema/config.schema.json', import.meta.url), 'utf8'),
    ) as {
      readonly properties: object;
    };
    const keys = Object.keys(schema.properties).filter((key) => key !== '$schema');
    expect(keys.filter((key) => !all.includes(`\n  "${key}": `))).toEqual([]);
    expect(parseConfig(all, 'x')).toMatchObject({ agents: ['my-agent'], sockets: ['work'], timeout: 2000 });
  });
});
