/**
 * Compiled code kept beside the program: who must own it, and that nothing depends on it.
 * Runs in a PID namespace: no test here needs a missing PID as proof.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Script } from 'node:vm';
import { afterEach, describe, expect, test } from '@jest/globals';
import { canBecomeOthers, cleanUp, onCleanUp } from '../support/index.ts';
import { bareEnvironment, PROGRAM } from './run-cli.ts';

afterEach(cleanUp);

/** Newer releases of Node have their own cache, whose files we do not read. */
const withOwnCache = Number.parseInt(process.versions.node, 10) < 22 ? describe : describe.skip;

/** A copy of the program without kept code. */
const copyOfProgram = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'kept-code-'));
  onCleanUp(() => rmSync(folder, { recursive: true, force: true }));
  chmodSync(folder, 0o755);
  cpSync(dirname(PROGRAM), folder, { recursive: true });
  rmSync(join(folder, 'code.cache'), { recursive: true, force: true });
  return folder;
};

const run = (folder: string, more: Parameters<typeof spawnSync>[2] = {}) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(folder, 'doctor.js'), '--version'], {
    cwd: '/',
    env: bareEnvironment(),
    timeout: 60_000,
    ...more,
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
};

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
const WELL = { status: 0, stdout: `${version}\n`, stderr: '' };

/** The one directory in which this release of Node keeps code. */
const keptIn = (folder: string): string => {
  const [name, ...more] = readdirSync(join(folder, 'code.cache'));
  expect([name !== undefined, more]).toEqual([true, []]);
  return join(folder, 'code.cache', name as string);
};

test('code that a start compiles is kept for the next start, and other users cannot write it', () => {
  const folder = copyOfProgram();
  const umask = process.umask(0);
  onCleanUp(() => {
    process.umask(umask);
  });
  expect(run(folder)).toEqual(WELL);
  for (const path of [join(folder, 'code.cache'), keptIn(folder)])
    expect([path, statSync(path).mode & 0o022]).toEqual([path, 0]);
  const first = readdirSync(keptIn(folder));
  expect(first.length).toBeGreaterThan(0);
  expect(run(folder)).toEqual(WELL);
  expect(readdirSync(keptIn(folder))).toEqual(first);
});

withOwnCache('code that was kept more than a day ago (Node 22 and newer have a cache of their own)', () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const keptAgo = (folder: string, ms: number): void => {
    const file = join(keptIn(folder), 'cli-main.js.cache');
    const at = new Date(Date.now() - ms);
    utimesSync(file, at, at);
  };
  const keptMain = (folder: string) => {
    const { size, ino } = statSync(join(keptIn(folder), 'cli-main.js.cache'));
    return { size, ino };
  };

  test('is kept again, together with the functions compiled since', () => {
    const folder = copyOfProgram();
    run(folder);
    const first = keptMain(folder);
    const refused = () => {
      const { status } = spawnSync(process.execPath, [join(folder, 'doctor.js'), '--no-such'], {
        env: bareEnvironment(),
      });
      expect(status).toBe(2);
    };
    keptAgo(folder, DAY_MS / 2);
    refused();
    expect(keptMain(folder)).toEqual(first);
    keptAgo(folder, 2 * DAY_MS);
    refused();
    const second = keptMain(folder);
    expect(second.size).toBeGreaterThan(first.size);
    refused();
    expect(keptMain(folder)).toEqual(second);
  });
});

withOwnCache('the kept code of one part (Node 22 and newer have a cache of their own)', () => {
  /** Those of every preflight; with a tmux server of ours, as of another test, there is one more. */
  const ALWAYS = ['cli-commands-preflight.js.cache', 'cli-main.js.cache'];

  /** Names and inode numbers: code that is kept again is a new file. */
  const keptFiles = (folder: string) =>
    readdirSync(keptIn(folder))
      .filter((name) => ALWAYS.includes(name))
      .map((name) => [name, statSync(join(keptIn(folder), name)).ino]);

  test('is not written again when that of another part is missing', () => {
    const folder = copyOfProgram();
    const preflight = () =>
      spawnSync(process.execPath, [join(folder, 'doctor.js'), 'preflight', '/'], { env: bareEnvironment() });
    preflight();
    const first = keptFiles(folder);
    expect(first.map(([name]) => name)).toEqual(ALWAYS);
    preflight();
    expect(keptFiles(folder)).toEqual(first);
    rmSync(join(keptIn(folder), 'cli-main.js.cache'));
    preflight();
    expect(keptFiles(folder)[0]).toEqual(first[0]);
    expect(keptFiles(folder)).toHaveLength(2);
  });
});

test('a start that keeps code modifies no intrinsic object', () => {
  const env = bareEnvironment({ NODE_OPTIONS: '--frozen-intrinsics --no-warnings' });
  expect(run(copyOfProgram(), { env })).toEqual(WELL);
});

test('a start that cannot keep code succeeds without a message', () => {
  const folder = copyOfProgram();
  expect(run(folder, { env: bareEnvironment({ NODE_DISABLE_COMPILE_CACHE: '1' }) })).toEqual(WELL);
  // Nothing can be written below a file.
  writeFileSync(join(folder, 'code.cache'), '');
  expect(run(folder)).toEqual(WELL);
});

(canBecomeOthers ? test : test.skip)(
  'a start by another user leaves no file that the owner could not remove',
  () => {
    const folder = copyOfProgram();
    chmodSync(folder, 0o777);
    expect(run(folder, { uid: 64_916, gid: 64_916 })).toEqual(WELL);
    expect(existsSync(join(folder, 'code.cache'))).toBe(false);
  },
);

withOwnCache('Node 20 with permission to read only the program', () => {
  test('starts it, with kept code that it may not use and without kept code', () => {
    const folder = copyOfProgram();
    run(folder);
    const flags = ['--experimental-permission', `--allow-fs-read=${folder}/*`];
    for (const keep of [true, false]) {
      if (!keep) rmSync(join(folder, 'code.cache'), { recursive: true });
      const words = [...flags, join(folder, 'doctor.js'), '--version'];
      const { status, stdout } = spawnSync(process.execPath, words, {
        env: bareEnvironment(),
        encoding: 'utf8',
      });
      expect([keep, status, stdout]).toEqual([keep, WELL.status, WELL.stdout]);
    }
  });
});

test('the program starts through a symlink that Node does not resolve', () => {
  const folder = copyOfProgram();
  const link = join(folder, 'bin', 'doctor');
  mkdirSync(dirname(link));
  symlinkSync(join(folder, 'doctor.js'), link);
  const env = bareEnvironment({ NODE_OPTIONS: '--preserve-symlinks-main --preserve-symlinks' });
  const { status, stdout, stderr } = spawnSync(process.execPath, [link, '--version'], {
    env,
    encoding: 'utf8',
  });
  expect({ status, stdout, stderr }).toEqual(WELL);
});

withOwnCache('code of another origin (Node 22 and newer have a cache of their own)', () => {
  /** Code that V8 accepts as that of the program, because it compares only the length of the source. */
  const forge = (folder: string): Buffer => {
    const head = '(function(exports,require,module,__filename,__dirname){';
    const { length } = readFileSync(join(folder, 'cli-main.js'), 'latin1');
    const text = `${head}require('node:fs').writeSync(1, 'forged')/*`;
    return new Script(`${text.padEnd(head.length + length - 2, '*')}*/\n})`).createCachedData();
  };

  /** A program whose kept code is forged. */
  const forged = (): string => {
    const folder = copyOfProgram();
    run(folder);
    writeFileSync(join(keptIn(folder), 'cli-main.js.cache'), forge(folder));
    return folder;
  };

  test('runs if it is accepted, so these tests can detect it', () => {
    expect(run(forged()).stdout).toBe('forged');
  });

  test.each([
    ['version of Node', (name: string) => name.replace(process.version, 'v20.19.0')],
    ['platform', (name: string) => name.replace(process.platform, 'aix')],
    ['architecture', (name: string) => name.replace(process.arch, 'arm64')],
    ['build of this version', (name: string) => `${name}0`],
    ['build of the program', (name: string) => `${name.startsWith('0') ? '1' : '0'}${name.slice(1)}`],
  ])('is not accepted from another %s', (_, rename) => {
    const folder = forged();
    const kept = keptIn(folder);
    const name = kept.slice(dirname(kept).length + 1);
    expect(rename(name)).not.toBe(name);
    renameSync(kept, join(dirname(kept), rename(name)));
    expect(run(folder)).toEqual(WELL);
  });

  test('is not accepted from the directory of the program', () => {
    const folder = copyOfProgram();
    writeFileSync(join(folder, 'cli-main.js.cache'), forge(folder));
    writeFileSync(join(folder, 'program.js.cache'), forge(folder));
    expect(run(folder)).toEqual(WELL);
  });

  test('is not accepted from a directory that others may write', () => {
    for (const mode of [0o777, 0o775, 0o702]) {
      const folder = forged();
      chmodSync(join(folder, 'code.cache'), mode);
      expect(run(folder)).toEqual(WELL);
    }
  });

  test('is not accepted through a symlink', () => {
    const folder = forged();
    renameSync(join(folder, 'code.cache'), join(folder, 'elsewhere'));
    symlinkSync('elsewhere', join(folder, 'code.cache'));
    expect(run(folder)).toEqual(WELL);
  });

  (canBecomeOthers ? test : test.skip)('is not accepted from another user', () => {
    const folder = forged();
    expect(run(folder, { uid: 64_916, gid: 64_916 }).stdout).toBe('forged'); // root's code is accepted
    spawnSync('chown', ['-R', '64916:64916', join(folder, 'code.cache')]);
    expect(run(folder)).toEqual(WELL);
  });

  test('that is truncated or garbage is compiled again and replaced', () => {
    const folder = copyOfProgram();
    run(folder);
    const file = join(keptIn(folder), 'cli-main.js.cache');
    const whole = readFileSync(file);
    for (const bytes of [Buffer.alloc(0), whole.subarray(0, 5000), Buffer.alloc(whole.length)]) {
      writeFileSync(file, bytes);
      expect(run(folder)).toEqual(WELL);
      expect(readFileSync(file).equals(bytes)).toBe(false);
    }
  });
});
