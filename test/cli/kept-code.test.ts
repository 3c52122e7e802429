/** Compiled code that is kept beside the program: whose it must be, and that nothing depends on it. */
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

/** Newer releases have a cache of their own, whose files we do not read. */
const readsItself = Number.parseInt(process.versions.node, 10) < 22 ? describe : describe.skip;

/** The program somewhere else, without kept code. */
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

/** The one directory in which this Node keeps code. */
const keptIn = (folder: string): string => {
  const [name, ...more] = readdirSync(join(folder, 'code.cache'));
  expect([name !== undefined, more]).toEqual([true, []]);
  return join(folder, 'code.cache', name as string);
};

test('what a start compiles is kept for the next one, and no other user may write it', () => {
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

readsItself('code that was kept more than a day ago (Node 22 and newer have a cache of their own)', () => {
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

  test('is kept again with what has been compiled since, for the next start may go the same way', () => {
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

readsItself('code of one part that is kept (Node 22 and newer have a cache of their own)', () => {
  /** By name, the number of the file: one that is kept again is a new file. */
  const keptFiles = (folder: string) =>
    readdirSync(keptIn(folder)).map((name) => [name, statSync(join(keptIn(folder), name)).ino]);

  test('does not make the next part compiled again', () => {
    const folder = copyOfProgram();
    const preflight = () =>
      spawnSync(process.execPath, [join(folder, 'doctor.js'), 'preflight', '/'], { env: bareEnvironment() });
    preflight();
    const first = keptFiles(folder);
    expect(first.map(([name]) => name)).toEqual(['cli-commands-preflight.js.cache', 'cli-main.js.cache']);
    preflight();
    expect(keptFiles(folder)).toEqual(first);
    rmSync(join(keptIn(folder), 'cli-main.js.cache'));
    preflight();
    expect(keptFiles(folder)[0]).toEqual(first[0]);
    expect(keptFiles(folder)).toHaveLength(2);
  });
});

test('a start that keeps code changes nothing that all code shares', () => {
  const env = bareEnvironment({ NODE_OPTIONS: '--frozen-intrinsics --no-warnings' });
  expect(run(copyOfProgram(), { env })).toEqual(WELL);
});

test('a start that may keep nothing is correct and silent', () => {
  const folder = copyOfProgram();
  expect(run(folder, { env: bareEnvironment({ NODE_DISABLE_COMPILE_CACHE: '1' }) })).toEqual(WELL);
  // Nothing can be written below a file.
  writeFileSync(join(folder, 'code.cache'), '');
  expect(run(folder)).toEqual(WELL);
});

(canBecomeOthers ? test : test.skip)(
  'a start by somebody else leaves nothing that its owner could not remove',
  () => {
    const folder = copyOfProgram();
    chmodSync(folder, 0o777);
    expect(run(folder, { uid: 64_916, gid: 64_916 })).toEqual(WELL);
    expect(existsSync(join(folder, 'code.cache'))).toBe(false);
  },
);

readsItself('Node 20 with permissions for nothing but the program', () => {
  test('starts it, with kept code that it may not use and without', () => {
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

test('the program starts through a link that Node does not follow', () => {
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

readsItself('code of another origin (Node 22 and newer have a cache of their own)', () => {
  /** Code that V8 takes for that of the program, for it compares no more than the length of the text. */
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

  test('would be run: this test can see it', () => {
    expect(run(forged()).stdout).toBe('forged');
  });

  test.each([
    ['version of Node', (name: string) => name.replace(process.version, 'v20.19.0')],
    ['platform', (name: string) => name.replace(process.platform, 'aix')],
    ['architecture', (name: string) => name.replace(process.arch, 'arm64')],
    ['build of this version', (name: string) => `${name}0`],
    ['build of the program', (name: string) => `${name.startsWith('0') ? '1' : '0'}${name.slice(1)}`],
  ])('is not taken from another %s', (_, rename) => {
    const folder = forged();
    const kept = keptIn(folder);
    const name = kept.slice(dirname(kept).length + 1);
    expect(rename(name)).not.toBe(name);
    renameSync(kept, join(dirname(kept), rename(name)));
    expect(run(folder)).toEqual(WELL);
  });

  test('is not taken from beside the program', () => {
    const folder = copyOfProgram();
    writeFileSync(join(folder, 'cli-main.js.cache'), forge(folder));
    writeFileSync(join(folder, 'program.js.cache'), forge(folder));
    expect(run(folder)).toEqual(WELL);
  });

  test('is not taken from a folder that others may write', () => {
    for (const mode of [0o777, 0o775, 0o702]) {
      const folder = forged();
      chmodSync(join(folder, 'code.cache'), mode);
      expect(run(folder)).toEqual(WELL);
    }
  });

  test('is not taken through a link', () => {
    const folder = forged();
    renameSync(join(folder, 'code.cache'), join(folder, 'elsewhere'));
    symlinkSync('elsewhere', join(folder, 'code.cache'));
    expect(run(folder)).toEqual(WELL);
  });

  (canBecomeOthers ? test : test.skip)('is not taken from somebody else', () => {
    const folder = forged();
    expect(run(folder, { uid: 64_916, gid: 64_916 }).stdout).toBe('forged'); // root's is
    spawnSync('chown', ['-R', '64916:64916', join(folder, 'code.cache')]);
    expect(run(folder)).toEqual(WELL);
  });

  test('that is torn or garbage is compiled again and replaced', () => {
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
