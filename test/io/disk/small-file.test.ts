import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import fc from 'fast-check';
import { type FileReading, readingCalls, readSmallFile, readValue } from '../../../src/io/disk/small-file.ts';
import { stampOf } from '../../../src/io/disk/stamp.ts';
import { cleanUp, onCleanUp } from '../../support/index.ts';

afterEach(cleanUp);

const LIMIT = 65_536;

const read = (path: string | Buffer): FileReading => readSmallFile(readingCalls, path, LIMIT);

const newDirectory = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'files-'));
  onCleanUp(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  return directory;
};

const write = (content: string | Uint8Array): string => {
  const path = join(newDirectory(), 'agent.lock');
  writeFileSync(path, content);
  return path;
};

test('a regular file is read with its bytes and a stamp that identifies it', () => {
  const path = write('{"pid": 1}');
  const stat = statSync(path, { bigint: true });
  const reading = read(path);
  expect(reading).toMatchObject({
    kind: 'file',
    bytes: new Uint8Array(Buffer.from('{"pid": 1}')),
    mtimeMs: Number(stat.mtimeNs / 1_000_000n),
    uid: Number(stat.uid),
  });
  expect(reading.kind === 'file' && stampOf(reading)).toEqual({
    dev: String(stat.dev),
    ino: String(stat.ino),
    mtimeNs: String(stat.mtimeNs),
    size: 10,
    sha256: createHash('sha256').update('{"pid": 1}').digest('hex'),
  });
});

test('any bytes of a file are read unchanged', () => {
  const path = write('');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      writeFileSync(path, bytes);
      const reading = read(path);
      expect(reading.kind === 'file' && Buffer.from(reading.bytes).equals(bytes)).toBe(true);
    }),
    { numRuns: 100 },
  );
});

test('bytes of one reading are not overwritten by the next', () => {
  const first = read(write('first'));
  read(write('other'));
  expect(first.kind === 'file' && Buffer.from(first.bytes).toString()).toBe('first');
});

test.each([
  [0, 'file'],
  [LIMIT - 1, 'file'],
  [LIMIT, 'file'],
  [LIMIT + 1, 'other'],
])('a file of %i bytes is of kind %s', (size, kind) => {
  const reading = read(write(Buffer.alloc(size, 0x20)));
  expect(reading.kind).toBe(kind);
  if (reading.kind === 'file') expect(reading.bytes.length).toBe(size);
  if (reading.kind === 'other') expect(reading).toMatchObject({ problem: 'too-large', size });
});

test('a file of ten gigabytes is refused at once as too large', () => {
  const path = write('');
  truncateSync(path, 10 * 2 ** 30);
  expect(read(path)).toMatchObject({ kind: 'other', problem: 'too-large', size: 10 * 2 ** 30 });
});

const endless = '/proc/kallsyms';
const endlessTest = existsSync(endless) ? test : test.skip;
endlessTest(
  `a file longer than its size is read only up to the limit${existsSync(endless) ? '' : ' (skipped: no /proc/kallsyms)'}`,
  () => {
    expect(statSync(endless).size).toBe(0);
    expect(read(endless)).toMatchObject({ kind: 'other', problem: 'too-large', size: LIMIT + 1 });
  },
);

test('a missing file is absent, even below a file', () => {
  const path = write('');
  expect(read(`${path}.missing`)).toEqual({ kind: 'absent' });
  expect(read(`${path}/below`)).toEqual({ kind: 'absent' });
});

test('directories, symlinks, FIFOs and devices are reported by their type and never followed', () => {
  const directory = newDirectory();
  const at = (name: string): string => join(directory, name);
  mkdirSync(at('directory'));
  writeFileSync(at('target'), '{}');
  symlinkSync('target', at('link'));
  symlinkSync('/nowhere', at('dangling'));
  symlinkSync('loop', at('loop'));
  execFileSync('mkfifo', [at('fifo')]);
  const types = ['directory', 'link', 'dangling', 'loop', 'fifo'].map((name) => {
    const reading = read(at(name));
    return reading.kind === 'other' ? reading.problem : reading.kind;
  });
  expect(types).toEqual(['directory', 'symlink', 'symlink', 'symlink', 'fifo']);
  expect(read('/dev/null')).toMatchObject({ kind: 'other', problem: 'device' });
});

test('a socket is recognized by its type', async () => {
  const path = join(newDirectory(), 'agent.lock');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onCleanUp(() => new Promise<void>((resolve) => server.close(() => resolve())));
  expect(read(path)).toMatchObject({ kind: 'other', problem: 'socket' });
});

test('a path that is not UTF-8 is read by its bytes', () => {
  const path = Buffer.concat([Buffer.from(`${newDirectory()}/`), Buffer.from([0xe9, 0xff])]);
  writeFileSync(path, 'x');
  expect(read(path).kind).toBe('file');
});

test('a path beyond the limit of the system is unread with the reason', () => {
  expect(read(`/${'x'.repeat(300)}`)).toEqual({
    kind: 'unread',
    why: 'name too long (ENAMETOOLONG)',
    isRegularFile: false,
    mtimeMs: null,
    uid: null,
  });
});

/** Reads a path in its own process, as another user if this one may read everything. */
const readAsNobody = (path: string): unknown => {
  const outfile = join(newDirectory(), 'read.mjs');
  const contents = `import { readingCalls, readSmallFile } from './src/io/disk/small-file.ts'; console.log(JSON.stringify(readSmallFile(readingCalls, process.argv[2], ${LIMIT})));`;
  const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' } as const;
  buildSync({ stdin, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'silent' });
  const identity = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {};
  return JSON.parse(execFileSync(process.execPath, [outfile, path], { cwd: '/', ...identity }).toString());
};

test('a file that may not be read is unread, with owner and time', () => {
  const path = write('{}');
  chmodSync(path, 0o000);
  expect(readAsNobody(path)).toEqual({
    kind: 'unread',
    why: 'permission denied (EACCES)',
    isRegularFile: true,
    mtimeMs: Math.floor(statSync(path).mtimeMs),
    uid: statSync(path).uid,
  });
});

test('a directory that may not be read is still a directory', () => {
  const path = join(newDirectory(), 'agent.lock');
  mkdirSync(path, { mode: 0o000 });
  expect(readAsNobody(path)).toMatchObject({ kind: 'other', problem: 'directory' });
});

test('a file behind a closed directory is unread', () => {
  const path = write('{}');
  const directory = join(path, '..');
  chmodSync(directory, 0o000);
  onCleanUp(() => chmodSync(directory, 0o755));
  expect(readAsNobody(path)).toMatchObject({ kind: 'unread', isRegularFile: false, mtimeMs: null });
});

const hasStrace = spawnSync('strace', ['-V']).status === 0;
const straceTest = hasStrace ? test : test.skip;
straceTest(`a record costs four system calls${hasStrace ? '' : ' (skipped: no strace)'}`, () => {
  const path = write('{"pid": 1}');
  const outfile = join(newDirectory(), 'read.mjs');
  const contents = `import { readingCalls, readSmallFile } from './src/io/disk/small-file.ts'; readSmallFile(readingCalls, process.argv[2], ${LIMIT});`;
  const stdin = { contents, resolveDir: process.cwd(), loader: 'ts' } as const;
  buildSync({ stdin, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'silent' });
  const { stderr } = spawnSync('strace', ['-P', path, process.execPath, outfile, path], { encoding: 'utf8' });
  const calls = stderr.split('\n').map((line) => line.match(/^(\w+)\(/)?.[1]);
  const relevant = calls.filter((call) => call !== undefined && call !== 'execve');
  expect(relevant).toEqual(['openat', expect.stringMatching(/stat/), 'read', 'close']);
});

test.each([
  ['/a/tree/.git\n', { value: '/a/tree/.git' }],
  ['/a/tree/.git', { value: '/a/tree/.git' }],
  ['b\u00e4um\n\n', { value: 'b\u00e4um' }],
  ['x'.repeat(63), { value: 'x'.repeat(63) }],
  ['x'.repeat(65), null],
  ['two\nlines/.git\n', { value: 'two\nlines/.git' }],
  ['windows\r\n', { value: 'windows' }],
  ['real \ufffd\n', { value: 'real \ufffd' }],
  [Buffer.from('caf\xe9\n', 'latin1'), { value: Buffer.from('caf\xe9', 'latin1') }],
  ['a\0b\n', null],
  ['\n', null],
  ['', null],
])('the value of %j', (bytes, value) => {
  expect(readValue(write(bytes), 64)).toEqual(value);
});

test('a value is read only from a regular file, without blocking', () => {
  const directory = newDirectory();
  const path = (name: string): string => join(directory, name);
  writeFileSync(path('file'), 'text\n');
  symlinkSync('file', path('link'));
  execFileSync('mkfifo', [path('fifo')]);
  expect(['link', 'fifo', '.'].map((name) => readValue(path(name), 64))).toEqual([null, null, null]);
  expect(['nothing', 'file/below'].map((name) => readValue(path(name), 64))).toEqual(['absent', 'absent']);
});
