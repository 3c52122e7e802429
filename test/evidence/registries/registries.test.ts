/** Registries of live sessions, read with real processes: what counts, and what must not. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import type { RegisteredSession } from '../../../src/core/types/evidence.ts';
import { runsScripts } from '../../../src/evidence/processes/process-names.ts';
import type { ProcessRow } from '../../../src/evidence/processes/row.ts';
import { readProcessTable } from '../../../src/evidence/processes/table.ts';
import { scalarIn } from '../../../src/evidence/registries/copilot.ts';
import { readRegistries } from '../../../src/evidence/registries/registries.ts';
import { claim } from '../../../src/evidence/registries/session-files.ts';
import { homesIn } from '../../../src/evidence/registries/user-homes.ts';
import {
  asOtherUser,
  canBecomeOthers,
  cleanUp,
  deadPid,
  fakeAgent,
  OTHER_UID,
  onCleanUp,
  startProcess,
} from '../../support/index.ts';

afterEach(cleanUp);

const uid = process.getuid?.() ?? 0;
const asRoot = canBecomeOthers ? test : test.skip;
const onLinux = process.platform === 'linux' ? describe : describe.skip;

const makeHome = (): string => {
  const home = mkdtempSync(join(tmpdir(), 'home-'));
  onCleanUp(() => rmSync(home, { recursive: true, force: true }));
  return home;
};

const write = (path: string, content: unknown): string => {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
};

const rowOf = async (pid: number): Promise<ProcessRow> => {
  const row = (await readProcessTable()).rows.get(pid);
  if (row === undefined) throw new Error(`no process ${pid}`);
  return row;
};

const sessionsOf = async (
  pid: number,
  env: Readonly<Record<string, string>>,
  uids: readonly number[] = [uid],
): Promise<readonly RegisteredSession[]> => {
  const table = await readProcessTable();
  const row = table.rows.get(pid);
  return row === undefined ? [] : (await readRegistries(uids, env, table)).sessionsOf(row);
};

const FIX_LOGIN = { tool: 'claude', name: 'fix-login', status: 'busy', cwd: '/gt/crew/ada' };

onLinux('the registry of Claude Code', () => {
  const scene = async () => {
    const home = makeHome();
    const { pid } = await startProcess('sleep', ['600']);
    const { startToken, startedAtMs } = await rowOf(pid);
    const record = {
      ...{
        pid,
        sessionId: 'c3fb74ec-8b9d-4142-954c-4bdf1a77f7f1',
        cwd: FIX_LOGIN.cwd,
        startedAt: Date.now(),
      },
      ...{ procStart: startToken, version: '2.1.139', kind: 'interactive', entrypoint: 'cli' },
      ...{ name: FIX_LOGIN.name, status: FIX_LOGIN.status, updatedAt: 0 },
    };
    const put = (content: unknown = record, name = `${pid}.json`, config = `${home}/.claude`): string =>
      write(`${config}/sessions/${name}`, content);
    return {
      home,
      pid,
      record,
      put,
      startedAtMs: startedAtMs ?? 0,
      look: () => sessionsOf(pid, { HOME: home }),
    };
  };

  test('names the session of a live process, whatever its command is called', async () => {
    const { put, look } = await scene();
    put();
    expect(await look()).toEqual([FIX_LOGIN]);
  });

  test('is found in $CLAUDE_CONFIG_DIR as well as in the usual place', async () => {
    const { put, pid, home, record, look } = await scene();
    const config = makeHome();
    put({ ...record, name: 'elsewhere' }, undefined, config);
    expect(await sessionsOf(pid, { HOME: home, CLAUDE_CONFIG_DIR: config })).toMatchObject([
      { name: 'elsewhere' },
    ]);
    expect(await look()).toEqual([]);
    put();
    expect(await sessionsOf(pid, { HOME: '/no/such', CLAUDE_CONFIG_DIR: `${home}/.claude` })).toEqual([
      FIX_LOGIN,
    ]);
    expect(await sessionsOf(pid, { HOME: home, CLAUDE_CONFIG_DIR: `${home}/.claude` })).toHaveLength(1);
  });

  test('accepts a session without a name or status, as before its first turn', async () => {
    const { put, record, look } = await scene();
    put({ ...record, name: undefined, status: 7 });
    expect(await look()).toEqual([{ ...FIX_LOGIN, name: null, status: null }]);
  });

  test('accepts records of early versions, without a process start, if the session began soon after the process', async () => {
    const { put, record, startedAtMs, look } = await scene();
    const early = (startedAt: unknown) => put({ ...record, procStart: undefined, startedAt });
    early(startedAtMs + 2000);
    expect(await look()).toEqual([FIX_LOGIN]);
    for (const wrong of [startedAtMs - 5000, startedAtMs + 600_000, Number.NaN, null, '1', undefined]) {
      early(wrong);
      expect([wrong, await look()]).toEqual([wrong, []]);
    }
  });

  test('accepts a start in UTC, as on macOS', async () => {
    const { put, record, startedAtMs, look } = await scene();
    const ctime = (ms: number): string =>
      execFileSync('date', ['-u', '-d', `@${Math.floor(ms / 1000)}`, '+%a %b %e %T %Y'], {
        encoding: 'utf8',
        env: { PATH: process.env.PATH, LC_ALL: 'C' },
      }).trim();
    put({ ...record, procStart: ctime(startedAtMs) });
    expect(await look()).toEqual([FIX_LOGIN]);
    put({ ...record, procStart: ctime(startedAtMs + 3_600_000) });
    expect(await look()).toEqual([]);
  });

  test('proves nothing by itself: a dead PID, a reused one, another file name', async () => {
    const { put, record, pid, home, look } = await scene();
    put({ ...record, procStart: '1' });
    expect(await look()).toEqual([]);
    put({ ...record, pid: deadPid() }, `${deadPid()}.json`);
    expect(await sessionsOf(deadPid(), { HOME: home })).toEqual([]);
    rmSync(`${home}/.claude/sessions/${pid}.json`);
    for (const name of [
      `pid-${pid}.json`,
      `${pid}.json.tmp`,
      `${pid}`,
      `0x${pid}.json`,
      `${pid}-0a1b2c3.json`,
    ])
      put(record, name);
    expect(await look()).toEqual([]);
    put({ ...record, pid: pid + 1 });
    expect(await look()).toEqual([]);
  });

  test.each([
    ['an empty file', '', 'it is not JSON'],
    ['invalid JSON', '{"pid": ', 'it is not JSON'],
    ['an array', '[1, 2]', 'it must be an object'],
    ['null', 'null', 'it must be an object'],
    ['a number', '4711', 'it must be an object'],
    ['no cwd', { cwd: undefined }, 'cwd is missing'],
    ['a relative cwd', { cwd: 'relative' }, /^cwd must be text of the form/],
    ['a cwd that is a list', { cwd: ['/gt'] }, 'cwd must be text'],
    ['a cwd with a NUL', { cwd: '/gt\0/crew' }, /^cwd must be text of the form/],
    ['an endless cwd', { cwd: `/${'x'.repeat(5000)}` }, /^cwd must be text of the form/],
    ['a start that is a number', { procStart: 17 }, 'procStart must be text or null'],
    ['no start at all', { procStart: undefined, startedAt: undefined }, 'startedAt is missing'],
    ['a start time that is not a number', { startedAt: 'yesterday' }, 'startedAt must be a number'],
    ['a PID that is a string', { pid: '17' }, 'pid must be a whole number'],
    ['a negative PID', { pid: -17 }, 'pid must be at least 1'],
    ['NaN', '{"pid": NaN}', 'it is not JSON'],
    ['a file larger than a record', { padding: 'x'.repeat(20_000) }, 'it is longer than any record'],
    ['a file much larger than a record', { padding: 'x'.repeat(200_000) }, 'it is longer than any record'],
    [
      'a tree as deep as a record may be',
      `{"cwd":${'['.repeat(8000)}${']'.repeat(8000)}}`,
      'startedAt is missing',
    ],
  ])(
    'treats %s as neither a session nor an error, but as doubt about its process',
    async (_name, content, why) => {
      const { put, record, pid, home, look } = await scene();
      const path = put(typeof content === 'string' ? content : { ...record, ...content });
      expect(await look()).toEqual([]);
      const { closed } = await readRegistries([uid], { HOME: home }, await readProcessTable());
      const isUnread = why === 'it is not JSON' || why === 'it is longer than any record';
      const doubt = { uid, tool: 'claude', path, pid, ...(isUnread ? { isUnread } : {}) };
      expect(closed).toEqual([{ ...doubt, why: typeof why === 'string' ? why : expect.stringMatching(why) }]);
    },
  );

  test('ignores other keys, and a name or status of another type', async () => {
    const { put, record, look } = await scene();
    put({ ...record, name: ['x'], status: { busy: true }, version: 7, next: { new: [] }, cwds: null });
    expect(await look()).toEqual([{ ...FIX_LOGIN, name: null, status: null }]);
  });

  test('treats a symlink, a FIFO or a directory as doubt, without following or reading it', async () => {
    const { put, pid, home, look } = await scene();
    const path = `${home}/.claude/sessions/${pid}.json`;
    const closed = async () =>
      (await readRegistries([uid], { HOME: home }, await readProcessTable())).closed.map(({ why }) => why);
    const target = put(undefined, 'target');
    symlinkSync(target, path);
    expect([await look(), await closed()]).toEqual([[], ['it is a symlink']]);
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect([await look(), await closed()]).toEqual([[], ['it is a fifo']]);
    rmSync(path);
    mkdirSync(path);
    expect([await look(), await closed()]).toEqual([[], ['it is a directory']]);
  });

  asRoot(
    "ignores another user's file, and a record about another user's process (skipped without root)",
    async () => {
      const { put, record, home, look } = await scene();
      const path = put();
      chownSync(path, OTHER_UID, OTHER_UID);
      expect(await look()).toEqual([]);
      const { closed } = await readRegistries([uid], { HOME: home }, await readProcessTable());
      expect(closed).toEqual([]);
      const others = await startProcess('sleep', ['600'], { uid: OTHER_UID, gid: OTHER_UID });
      const { startToken } = await rowOf(others.pid);
      put({ ...record, pid: others.pid, procStart: startToken }, `${others.pid}.json`);
      expect(await sessionsOf(others.pid, { HOME: home })).toEqual([]);
    },
  );

  test('stops reading a directory with too many records', async () => {
    const { put, record, pid, home } = await scene();
    for (let index = 0; index < 600; index += 1)
      put({ ...record, cwd: 7 }, `${pid}-${index.toString(16).padStart(8, '0')}.json`);
    const { closed } = await readRegistries([uid], { HOME: home }, await readProcessTable());
    expect(closed).toMatchObject([
      { path: `${home}/.claude/sessions`, why: 'it holds too many records' },
      { pid, why: 'cwd must be text' },
    ]);
  });

  asRoot(
    'reports a directory that may not be read instead of treating it as absent (skipped without root)',
    async () => {
      const { put, home } = await scene();
      put();
      chmodSync(home, 0o755);
      const table = await readProcessTable();
      chmodSync(`${home}/.claude`, 0o700);
      const asked = await asOtherUser(() => readRegistries([OTHER_UID], { HOME: home }, table));
      expect(asked.closed).toMatchObject([
        {
          uid: OTHER_UID,
          tool: 'claude',
          path: `${home}/.claude/sessions`,
          why: 'permission denied (EACCES)',
        },
      ]);
    },
  );
});

onLinux('the registries of other tools', () => {
  test('Qwen Code: one record for each session of a daemon', async () => {
    const home = makeHome();
    const { pid } = await startProcess('sleep', ['600']);
    const { startToken } = await rowOf(pid);
    const record = { schemaVersion: 1, pid, procStart: startToken, startedAt: Date.now(), kind: 'serve' };
    write(`${home}/.qwen/sessions/${pid}-18c8a51f.json`, { ...record, cwd: '/gt/one', name: 'one-6a' });
    write(`${home}/.qwen/sessions/${pid}-6fbe4468.json`, { ...record, cwd: '/gt/two', name: 'two-fd' });
    expect(await sessionsOf(pid, { HOME: home })).toEqual([
      { tool: 'qwen', name: 'one-6a', status: null, cwd: '/gt/one' },
      { tool: 'qwen', name: 'two-fd', status: null, cwd: '/gt/two' },
    ]);
  });

  test('Copilot: a lock in a session, counted only with a copilot that did not start after it', async () => {
    const home = makeHome();
    const session = `${home}/.copilot/session-state/f3db8a64-0d62-47a6-9253-dd005738ba5c`;
    const { pid } = await fakeAgent('copilot');
    const other = await startProcess('sleep', ['600']);
    write(`${session}/workspace.yaml`, 'id: f3db8a64\ncwd: "/gt/crew/ada"\nname: fix the login\n');
    const lock = write(`${session}/inuse.${pid}.lock`, `${pid}\n`);
    write(`${session}/inuse.${other.pid}.lock`, `${other.pid}\n`);
    expect(await sessionsOf(pid, { HOME: home })).toEqual([
      { tool: 'copilot', name: 'fix the login', status: null, cwd: '/gt/crew/ada' },
    ]);
    expect(await sessionsOf(other.pid, { HOME: home })).toEqual([]);
    const before = ((await rowOf(pid)).startedAtMs ?? 0) / 1000 - 60;
    utimesSync(lock, before, before);
    expect(await sessionsOf(pid, { HOME: home })).toEqual([]);
    write(`${session}/workspace.yaml`, 'id: f3db8a64\ncwd: [a]\n');
    const { closed } = await readRegistries([uid], { HOME: home }, await readProcessTable());
    expect(closed).toMatchObject([
      { tool: 'copilot', path: `${session}/workspace.yaml`, pid, why: 'cwd is missing' },
    ]);
  });

  test('only the command lines of interpreters are read if no session was ever kept', async () => {
    const home = makeHome();
    mkdirSync(`${home}/.copilot/session-state`, { recursive: true });
    await fakeAgent('copilot');
    const table = await readProcessTable();
    const asked: number[] = [];
    const details = {
      ...table.details,
      argv: (pid: number) => {
        asked.push(pid);
        return table.details.argv(pid);
      },
    };
    await readRegistries([uid], { HOME: home }, { ...table, details });
    expect(asked.filter((pid) => !runsScripts(table.rows.get(pid)?.comm ?? ''))).toEqual([]);
  });

  test('old sessions are not read while no copilot runs', async () => {
    const home = makeHome();
    const session = `${home}/.copilot/session-state/f3db8a64-0d62-47a6-9253-dd005738ba5c`;
    write(`${session}/inuse.${deadPid()}.lock`, '');
    const table = await readProcessTable();
    const rows = new Map([...table.rows].filter(([, { comm }]) => comm === 'sleep'));
    expect((await readRegistries([uid], { HOME: home }, { ...table, rows })).closed).toEqual([]);
  });
});

describe('the contents of records', () => {
  test('are taken literally, however odd, and names stay on one line', () => {
    const record = {
      pid: 7,
      cwd: '/a b/\u001b[31m',
      procStart: '1',
      name: ' x\n\n::set-output',
      status: '\n',
    };
    const claimed = (value: unknown) => claim({ path: '/x', pid: 7, value, atMs: 0 });
    expect(claimed(record)).toEqual({
      ...{ cwd: record.cwd, name: 'x ::set-output', status: null },
      proof: { by: 'start', start: '1' },
    });
    expect(claimed({ ...record, name: '町'.repeat(500) })?.name).toBe(`${'町'.repeat(79)}…`);
  });

  test.each([
    ['cwd: /gt/crew/ada', '/gt/crew/ada'],
    ['cwd: /gt/a # b', '/gt/a'],
    ['id: 1\ncwd: "/gt/\\"x\\""\n', '/gt/"x"'],
    ["cwd: '/gt/it''s'", "/gt/it's"],
    ["cwd: '/gt/a' # b", '/gt/a'],
    ['cwd: "/gt/a"\t# b', '/gt/a'],
    ['"cwd": /gt', '/gt'],
    ["'cwd' : /gt\r\nid: 1", '/gt'],
    ['cwd : /gt', '/gt'],
    ['cwd:/gt', null],
    ['cwd: |\n  /gt', null],
    ['cwd: >-\n  /gt', null],
    ['cwd: /gt\n  b', null],
    ['cwd: !!str /gt', null],
    ['{cwd: /gt}', null],
    ['cwd: [1]', null],
    ['cwd: "/gt', null],
    ['  cwd: /gt', null],
    ['cwd:', null],
    ['', null],
  ])('the cwd in %j is %j', (yaml, value) => {
    expect(scalarIn(yaml, 'cwd')).toBe(value);
  });

  test('homes are read as in passwd(5), and odd lines are skipped', () => {
    const passwd =
      'root:x:0:0:root:/root:/bin/sh\n\nbad\n#x:y\nada:x:1000:1000::/home/ada:/bin/sh\ntoo:x:0:0::/r:/\nno:x:9:9::/:\n';
    expect([...homesIn(passwd)]).toEqual([
      [0, '/root'],
      [1000, '/home/ada'],
    ]);
  });
});
