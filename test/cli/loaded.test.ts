/** What the built program loads, and when: every file and every module of Node adds to the start time. */
import { spawnSync } from 'node:child_process';
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Report } from '../../src/core/types/report.ts';
import { canBecomeOthers, cleanUp, hasTmux, makeTown, onCleanUp, startTmux } from '../support/index.ts';
import { EXECUTABLE } from '../support/tested-program.ts';
import { aloneOptions, giveToAlone } from './alone.ts';
import { bareEnvironment, COMMAND, doctor, PROGRAM } from './run-cli.ts';

afterEach(cleanUp);

const underNode = EXECUTABLE === null ? describe : describe.skip;

/** Without a private view of the machine, the doctor may find other tmux servers of ours, and queries these as well. */
const findsServers = (): boolean => {
  const { tmux } = JSON.parse(doctor(['--json', '--town', makeTown().root]).stdout) as Report;
  return tmux?.servers.some(({ status }) => status === 'ok') ?? false;
};
const inTmux = hasTmux && !findsServers() ? underNode : describe.skip;

interface Loaded {
  /** Files of the program beside its entry, in the order in which they were loaded. */
  readonly parts: readonly string[];
  /** Those of Node's modules that take long to load: a quarter of a millisecond to several. */
  readonly modules: readonly string[];
  /** Those of the files that had to be compiled, because no code was kept or it was not accepted. */
  readonly compiled: readonly string[];
}

const COSTLY = [
  'child_process',
  'crypto',
  'internal/fs/dir',
  'net',
  'os',
  'perf_hooks',
  'stream',
  'tty',
  'v8',
  'worker_threads',
];

interface Run {
  readonly env?: Readonly<Record<string, string>>;
  /** As a user without processes: a tmux server of ours would be found among our processes, and queried. */
  readonly alone?: boolean;
  /** With standard output into the null device, as scripts do that want only the exit code. */
  readonly intoNull?: boolean;
  /** Text of the town's `lock-doctor.json`. */
  readonly config?: string;
}

/** Loaded before the program, reports at exit what was loaded. With Node 20 our own start compiles the files. */
const HOOK = `
const fs = require('node:fs');
const vm = require('node:vm');
const { basename, dirname } = require('node:path');
const home = dirname(fs.realpathSync(process.argv[1]));
if (basename(process.argv[1]) === 'doctor.js') {
  const parts = [];
  const compiled = [];
  vm.Script = class extends vm.Script {
    constructor(text, options) {
      super(text, options);
      parts.push(options.filename);
      if (this.cachedDataRejected !== false) compiled.push(options.filename);
    }
  };
  process.on('exit', () => {
    const own = [...parts, ...Object.keys(require.cache)].filter((file) => dirname(file) === home);
    const names = (files) => files.map((file) => basename(file)).filter((name) => name !== 'doctor.js');
    const answer = { parts: names(own), modules: process.moduleLoadList, compiled: names(compiled) };
    fs.writeFileSync(process.env.ANSWER, JSON.stringify(answer));
  });
}`;

/** Runs the program and returns what it had loaded at exit. */
const loadedBy = (
  args: readonly string[],
  { env = {}, alone = false, intoNull = false, config }: Run = {},
): Loaded => {
  const folder = mkdtempSync(join(tmpdir(), 'loaded-'));
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  const hook = join(folder, 'hook.cjs');
  const answer = join(folder, 'answer.json');
  writeFileSync(hook, HOOK);
  const town = makeTown();
  town.lock('gastown/crew/ada', { session_id: '%55' });
  if (config !== undefined) writeFileSync(join(town.root, 'lock-doctor.json'), config);
  if (alone) giveToAlone(town.root, folder);
  const options = {
    cwd: town.root,
    // The folder contains no sockets and is open to that user.
    env: {
      ...(alone ? { TMUX_TMPDIR: folder } : {}),
      ...env,
      NODE_OPTIONS: `${alone ? aloneOptions() : ''} --require ${hook}`,
      ANSWER: answer,
    },
  };
  // The second run finds what the first one compiled.
  for (const _ of ['first', 'second'])
    if (intoNull)
      spawnSync('/bin/sh', ['-c', '"$@" >/dev/null', 'sh', ...COMMAND, ...args], {
        cwd: options.cwd,
        env: bareEnvironment(options.env),
      });
    else doctor(args, options);
  const { parts, modules, compiled } = JSON.parse(readFileSync(answer, 'utf8')) as Loaded;
  const names = modules.map((name) => /^NativeModule ([\w/]+)$/.exec(name)?.[1]);
  return { parts, modules: COSTLY.filter((name) => names.includes(name)), compiled };
};

const NEW = ['preflight', 'gastown/crew/new'];
const ADA = ['preflight', 'gastown/crew/ada'];

const NO_TMUX: Run = { env: { PATH: '/no/such' }, alone: true };

const ASKS = 'evidence-tmux-ask-servers.js';

/** The same without what asks tmux: servers of other users that run on this machine are looked at, though never asked. */
const besideStrangers = ({ parts, modules, compiled }: Loaded): Loaded => ({
  parts: parts.filter((name) => name !== ASKS),
  modules,
  compiled: compiled.filter((name) => name !== ASKS),
});

/** Skipped without root. */
const aloneTest = canBecomeOthers ? test : test.skip;

underNode('without a tmux server to query (skipped for the executable, which Node does not load)', () => {
  test('commands that need not be fast load more, so these tests can detect it', () => {
    const { parts, modules } = loadedBy(['checks']);
    expect(parts).toEqual([
      'cli-main.js',
      'cli-arguments-parse-with-yargs.js',
      'cli-commands-setup-checks.js',
    ]);
    expect(modules).toEqual(expect.arrayContaining(['net', 'stream']));
  });

  test('--version loads one file and no costly module', () => {
    expect(loadedBy(['--version'])).toEqual({ parts: ['cli-main.js'], modules: [], compiled: [] });
  });

  test('--help loads one file and no costly module', () => {
    for (const words of [['--help'], ['preflight', '-h'], ['help', 'locks']])
      expect(loadedBy(words)).toEqual({ parts: ['cli-main.js'], modules: [], compiled: [] });
  });

  aloneTest('preflight of a worker without a lock loads one more file', () => {
    expect(loadedBy(NEW, NO_TMUX)).toEqual({
      parts: ['cli-main.js', 'cli-commands-preflight.js'],
      modules: [],
      compiled: [],
    });
  });

  test('preflight without a lock loads at most 231 KB of program: V8 deserializes twice as much cached code', () => {
    const { size } = lstatSync(join(dirname(PROGRAM), 'cli-main.js'));
    expect(size + lstatSync(join(dirname(PROGRAM), 'cli-commands-preflight.js')).size).toBeLessThan(231_000);
  });

  aloneTest('preflight into the null device opens no stream to ask whether that is a terminal', () => {
    expect(loadedBy(NEW, { ...NO_TMUX, intoNull: true })).toEqual({
      parts: ['cli-main.js', 'cli-commands-preflight.js'],
      modules: [],
      compiled: [],
    });
  });

  aloneTest('a configuration loads what reads it', () => {
    const { parts } = loadedBy(NEW, { ...NO_TMUX, config: '{ "agents": ["mine"] }' });
    expect(parts).toEqual(['cli-main.js', 'cli-commands-preflight.js', 'read-config.js']);
  });

  test('preflight for a removal loads its own part only then', () => {
    const { parts } = loadedBy(['preflight', '--for', 'removal', 'gastown/crew/ada']);
    expect(parts.slice(0, 3)).toEqual(['cli-main.js', 'cli-commands-preflight.js', 'places-removal.js']);
  });

  aloneTest(
    'preflight of a worker with a lock also loads what judges it, and hashes it without crypto',
    () => {
      expect(besideStrangers(loadedBy(ADA, NO_TMUX))).toEqual({
        parts: ['cli-main.js', 'cli-commands-preflight.js', 'core-preflight-with-locks.js'],
        modules: [],
        compiled: [],
      });
    },
  );

  aloneTest('a record in a registry of sessions loads its validator and nothing else', () => {
    const home = mkdtempSync(join(tmpdir(), 'home-'));
    onCleanUp(() => rmSync(home, { recursive: true, force: true }));
    mkdirSync(join(home, '.claude/sessions'), { recursive: true });
    giveToAlone(home);
    const run: Run = { env: { PATH: '/no/such', HOME: home }, alone: true };
    const parts = ['cli-main.js', 'cli-commands-preflight.js'];
    expect(loadedBy(NEW, run).parts).toEqual(parts);
    writeFileSync(join(home, '.claude/sessions/1.json'), '{}');
    giveToAlone(home);
    expect(loadedBy(NEW, run).parts).toEqual([...parts, 'schema-registry-records.js']);
  });

  aloneTest('a diagnosis loads neither yargs nor listr2, nor anything that runs programs', () => {
    expect(besideStrangers(loadedBy(['--json'], NO_TMUX))).toEqual({
      parts: ['cli-main.js', 'cli-commands-doctor.js'],
      modules: [],
      compiled: [],
    });
  });

  test('exec loads one more file', () => {
    expect(besideStrangers(loadedBy(['exec', 'gastown/crew/ada', '--', 'true'])).parts).toEqual([
      'cli-main.js',
      'cli-commands-exec.js',
    ]);
  });
});

inTmux(
  'with a tmux server (skipped without tmux, beside tmux servers of ours, and for the executable)',
  () => {
    const besideTmux = async (args: readonly string[], { dead = 1, alive = 1 } = {}): Promise<Loaded> => {
      const server = await startTmux();
      server.newSession('main', { cwd: '/' });
      for (let number = 1; number < alive; number += 1)
        await startTmux({ tmuxTmpdir: server.tmuxTmpdir, name: `more${number}` });
      // A killed server leaves its socket behind.
      writeFileSync(
        join(server.tmuxTmpdir, 'gone.mjs'),
        `import { createServer } from 'node:net';
      createServer().listen(process.argv[2], () => process.kill(process.pid, 'SIGKILL'));`,
      );
      for (let number = 0; number < dead; number += 1) {
        const left = join(dirname(server.socket), `left${number}`);
        spawnSync(process.execPath, [join(server.tmuxTmpdir, 'gone.mjs'), left]);
        expect(lstatSync(left).isSocket()).toBe(true);
      }
      return loadedBy(args, { env: { TMUX_TMPDIR: server.tmuxTmpdir } });
    };

    test('preflight queries it without a library or a costly module', async () => {
      const { parts, modules, compiled } = await besideTmux(NEW);
      expect(parts).toEqual(['cli-main.js', 'cli-commands-preflight.js', ASKS]);
      expect(modules).toEqual([]);
      expect(compiled).toEqual([]);
    });

    test('a diagnosis queries it without a library', async () => {
      const { parts, compiled } = await besideTmux(['--json']);
      expect(parts).toEqual(['cli-main.js', 'cli-commands-doctor.js', ASKS]);
      expect(compiled).toEqual([]);
    });

    test('a diagnosis loads execa if there are many servers to query', async () => {
      const { parts, compiled } = await besideTmux(['--json'], { alive: 4 });
      expect(parts).toEqual(['cli-main.js', 'cli-commands-doctor.js', ASKS, 'execa.js']);
      expect(compiled).toEqual([]);
    });

    test('many sockets of killed servers load nothing more', async () => {
      const { parts, modules } = await besideTmux(NEW, { dead: 4 });
      expect(parts).toEqual(['cli-main.js', 'cli-commands-preflight.js', ASKS]);
      expect(modules).toEqual([]);
    });
  },
);
