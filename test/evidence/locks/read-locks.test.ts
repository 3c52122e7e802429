import { execFileSync } from 'node:child_process';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import agent from '../../../kinds/agent.ts';
import { formatCompanion, MAX_LOCK_BYTES } from '../../../src/core/record/lock-record.ts';
import { readLeftovers } from '../../../src/evidence/locks/read-leftovers.ts';
import { readLocks } from '../../../src/evidence/locks/read-locks.ts';
import { scanPlaces, scanTown } from '../../../src/evidence/scan/scan.ts';
import { readingCalls, readSmallFile } from '../../../src/io/disk/small-file.ts';
import { stampOf } from '../../../src/io/disk/stamp.ts';
import { cleanUp, makeTown } from '../../support/index.ts';

afterEach(cleanUp);

const readAll = async (root: string) => readLocks((await scanTown({ root, mode: 'default' })).locks, root);

const HOLDER = { pid: 77, startToken: '12345', bootId: 'b', pidNamespace: 'pid:[1]', nonce: 'n' };

describe('a second look', () => {
  test('reads only the locks whose files changed, appeared or have a companion record', async () => {
    const town = makeTown();
    for (const name of ['ada', 'bob', 'eve']) town.lock(`gastown/crew/${name}`, { session_id: '%1' });
    const first = await readAll(town.root);
    town.lock('gastown/crew/bob', { session_id: '%2' });
    town.lock('gastown/crew/new', { session_id: '%3' });
    town.write('gastown/crew/eve/.runtime/agent.lock.holder', formatCompanion(HOLDER));
    const second = readLocks((await scanTown({ root: town.root, mode: 'default' })).locks, town.root, first);
    const isReused = ({ path, content }: (typeof first)[number]) =>
      first.some((lock) => lock.path === path && lock.content === content);
    expect(second.map((lock) => [lock.worker.split('/').at(-1), isReused(lock)])).toEqual([
      ['ada', true],
      ['bob', false],
      ['eve', false],
      ['new', false],
    ]);
    expect(second).toEqual(await readAll(town.root));
  });
});

describe('a lock as it was found', () => {
  test('has worker, path, record, stamp, owner and time', async () => {
    const town = makeTown();
    const record = {
      pid: 41,
      acquired_at: '2026-03-29T12:33:08.793959788-07:00',
      session_id: '%756',
      hostname: 'larch',
    };
    const path = town.lock('gastown/crew/ada', record);
    const reading = readSmallFile(readingCalls, path, MAX_LOCK_BYTES);
    expect(await readAll(town.root)).toEqual([
      {
        id: 'agent:gastown/crew/ada',
        kind: 'agent',
        worker: 'gastown/crew/ada',
        path,
        pathBytes: null,
        layout: 'runtime',
        isRegularFile: true,
        stamp: reading.kind === 'file' ? stampOf(reading) : null,
        mtimeMs: reading.kind === 'file' ? reading.mtimeMs : null,
        uid: process.getuid?.(),
        content: {
          kind: 'record',
          record: {
            pid: 41,
            acquiredAt: record.acquired_at,
            acquiredAtMs: Date.parse('2026-03-29T19:33:08.793Z'),
            sessionId: '%756',
            hostname: 'larch',
            holder: null,
          },
        },
        companion: null,
        git: null,
      },
    ]);
  });

  test('of the root itself has the worker "."', async () => {
    const town = makeTown();
    town.lock('.');
    expect((await readAll(town.root)).map(({ id, worker }) => [id, worker])).toEqual([['agent:.', '.']]);
  });

  test('is sorted by worker, whatever the order on disk', async () => {
    const town = makeTown();
    for (const worker of ['b/crew/z', 'a/crew/é', 'a/crew/b', 'a', 'B']) town.lock(worker);
    expect((await readAll(town.root)).map(({ worker }) => worker)).toEqual([
      'B',
      'a',
      'a/crew/b',
      'a/crew/é',
      'b/crew/z',
    ]);
  });

  test('with a name that is not UTF-8 keeps its exact bytes', async () => {
    const town = makeTown();
    const path = town.lock('gastown/crew/cafe');
    const odd = Buffer.concat([Buffer.from(town.path('gastown/crew/caf')), Buffer.from([0xe9])]);
    renameSync(join(path, '../..'), odd);
    const [lock] = await readAll(town.root);
    expect(lock).toMatchObject({
      id: 'agent:gastown/crew/caf\\xE9',
      worker: 'gastown/crew/caf\\xE9',
      path: `${town.root}/gastown/crew/caf\\xE9/.runtime/agent.lock`,
      content: { kind: 'record' },
    });
    const restored = Buffer.from(lock?.pathBytes ?? '', 'base64');
    expect(Buffer.concat([odd, Buffer.from('/.runtime/agent.lock')]).equals(restored)).toBe(true);
  });

  test('in the old layout is marked, and has its own ID if there are two', async () => {
    const town = makeTown();
    town.lock('a');
    town.lock('a', {}, { at: '.gastown/agent.lock' });
    town.lock('b', {}, { at: '.gastown/agent.lock' });
    expect((await readAll(town.root)).map(({ id, layout }) => [id, layout])).toEqual([
      ['agent:a#legacy', 'legacy'],
      ['agent:a', 'runtime'],
      ['agent:b', 'legacy'],
    ]);
  });

  test('that vanished after the scan is left out', () => {
    const town = makeTown();
    const path = town.lock('a');
    const { locks } = scanPlaces([town.path('a')]);
    rmSync(path);
    expect(locks).toHaveLength(1);
    expect(readLocks(locks, town.root)).toEqual([]);
  });
});

describe('an invalid lock', () => {
  test.each([
    ['directory', (path: string) => mkdirSync(path)],
    ['symlink', (path: string) => symlinkSync('/nowhere', path)],
    ['symlink', (path: string) => symlinkSync('/etc/passwd', path)],
    ['fifo', (path: string) => execFileSync('mkfifo', [path])],
  ])('that is a %s has no stamp and is not a regular file', async (problem, make) => {
    const town = makeTown();
    mkdirSync(town.path('a/.runtime'), { recursive: true });
    make(town.path('a/.runtime/agent.lock'));
    expect(await readAll(town.root)).toMatchObject([
      {
        isRegularFile: false,
        stamp: null,
        mtimeMs: expect.any(Number),
        content: { kind: 'invalid', problem },
      },
    ]);
  });

  test.each([
    ['empty', ''],
    ['not-json', '{"pid": 1'],
    ['wrong-type', '{"pid": "12"}'],
    ['bad-time', '{"pid": 1, "acquired_at": "yesterday"}'],
    ['too-large', ' '.repeat(65_537)],
  ])('is reported as %s', async (problem, text) => {
    const town = makeTown();
    town.lock('a', text);
    const [lock] = await readAll(town.root);
    expect(lock).toMatchObject({ isRegularFile: true, content: { kind: 'invalid', problem } });
    expect(lock?.stamp === null).toBe(problem === 'too-large');
  });
});

describe('the companion record', () => {
  const text = JSON.stringify({ holder_pid: 1 });

  test('is looked for only beside a lock, and a damaged one is ignored', async () => {
    const town = makeTown();
    town.lock('a');
    writeFileSync(town.path('a/.runtime/agent.lock.holder'), 'garbage');
    expect(await readAll(town.root)).toMatchObject([{ companion: null, content: { kind: 'record' } }]);
    town.write('b/.runtime/agent.lock.holder', text);
    expect(await readAll(town.root)).toHaveLength(1);
  });

  test('names the holder', async () => {
    const town = makeTown();
    town.lock('a');
    town.write('a/.runtime/agent.lock.holder', formatCompanion(HOLDER));
    expect(await readAll(town.root)).toMatchObject([{ companion: HOLDER }]);
  });

  test('that is a symlink is not followed', async () => {
    const town = makeTown();
    town.lock('a');
    symlinkSync(town.write('elsewhere', formatCompanion(HOLDER)), town.path('a/.runtime/agent.lock.holder'));
    expect(await readAll(town.root)).toMatchObject([{ companion: null, content: { kind: 'record' } }]);
  });

  test('that cannot be read leaves the lock unread, because its holder may be alive', () => {
    const town = makeTown();
    const path = town.lock('a');
    const found = {
      kind: agent,
      path,
      place: town.path('a'),
      layout: 'runtime',
      companion: `/${'x'.repeat(300)}`,
      hasTwin: false,
      linkedGitDir: null,
      gitDir: null,
    } as const;
    expect(readLocks([found], town.root)).toMatchObject([
      { content: { kind: 'unread', why: expect.stringContaining('agent.lock.holder could not be read') } },
    ]);
  });
});

test('leftovers are only regular files, with worker and age', async () => {
  const town = makeTown();
  town.lock('a');
  town.write('a/.runtime/agent.lock.tmp', '');
  town.write('b/.runtime/agent.lock.released-20260401T120000Z-00000a-1', '');
  mkdirSync(town.path('b/.runtime/agent.lock.0123456789abcdef.old'));
  symlinkSync('/nowhere', town.path('b/.runtime/agent.lock.0123456789abcdef.new'));
  const { leftovers } = await scanTown({ root: town.root, mode: 'default' });
  expect(readLeftovers(leftovers, town.root)).toEqual([
    { worker: 'a', path: town.path('a/.runtime/agent.lock.tmp'), kind: 'tmp', mtimeMs: expect.any(Number) },
    {
      worker: 'b',
      path: town.path('b/.runtime/agent.lock.released-20260401T120000Z-00000a-1'),
      kind: 'released',
      mtimeMs: expect.any(Number),
    },
  ]);
});
