import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { afterEach, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Failure } from '../src/core/failure.ts';
import { parseConfig, readConfig } from '../src/read-config.ts';
import { cleanUp, makeTown } from './support/index.ts';

afterEach(cleanUp);

describe('the configuration of a town', () => {
  test('is empty without a file', () => {
    const { root } = makeTown();
    expect(readConfig(root)).toEqual({
      path: null,
      plugins: [],
      agents: [],
      bystanders: [],
      formerHosts: [],
      sockets: [],
      skip: [],
      kinds: {},
      failOn: null,
      timeout: null,
      machines: null,
      lease: null,
      passedOver: null,
    });
  });

  test('has the values of the file', () => {
    const town = makeTown();
    const values = {
      plugins: ['./checks/mine.js'],
      agents: ['my-agent'],
      bystanders: ['my-linter'],
      formerHosts: ['4e449adbac66', 'mac.lan'],
      sockets: ['/tmp/s'],
      skip: ['lock-debris'],
      kinds: { 'git-worktree': false, 'pid-file': { files: ['run/*.pid'], options: { pid: 'p' } } },
      failOn: 'error',
      timeout: 500,
      machines: { mini2: { reach: ['ssh', 'mini2'], towns: ['/srv/gt'], shared: true, send: false } },
      lease: { address: 'etcd://localhost:2379/gt', ttl: 30, onLost: 'stop' },
    };
    town.write('lock-doctor.json', JSON.stringify({ $schema: 'x', ...values }));
    expect(readConfig(town.root)).toEqual({
      path: town.path('lock-doctor.json'),
      passedOver: null,
      ...values,
    });
  });

  test('may only add caution if other users can write the file', () => {
    const town = makeTown();
    const file = town.write(
      'lock-doctor.json',
      '{"plugins": ["./x.js"], "agents": ["mine"], "formerHosts": ["old"], "sockets": ["no"], "skip": ["stale-lock"], "failOn": "error", "timeout": 1}',
    );
    chmodSync(file, 0o666);
    expect(readConfig(town.root)).toMatchObject({
      ...{
        plugins: [],
        agents: ['mine'],
        formerHosts: [],
        sockets: [],
        skip: [],
        failOn: null,
        timeout: null,
      },
      passedOver: `only its "agents" count: everybody can write to ${file}`,
    });
    town.write('lock-doctor.json', '{"agents": ["mine"]}');
    expect(readConfig(town.root)).toMatchObject({ agents: ['mine'], passedOver: null });
  });

  test('names no plug-ins if the town is only the working directory', () => {
    const town = makeTown();
    town.write('lock-doctor.json', '{"plugins": ["./x.js"], "skip": ["stale-lock"]}');
    expect(readConfig(town.root, 'cwd')).toMatchObject({
      ...{ plugins: [], skip: ['stale-lock'] },
      passedOver: expect.stringContaining('plug-ins'),
    });
    expect(readConfig(town.root, 'marker')).toMatchObject({ plugins: ['./x.js'], passedOver: null });
  });

  test('is read from the town root only, never from a worker', () => {
    const town = makeTown();
    town.write('gastown/crew/ada/lock-doctor.json', '{"plugins": ["./evil.js"]}');
    expect(readConfig(town.root).plugins).toEqual([]);
  });

  test.each([
    ['', 'is not JSON'],
    ['{', 'is not JSON'],
    ['[]', 'it must be an object'],
    ['null', 'it must be an object'],
    ['{"plugin": []}', 'plugin is unknown'],
    ['{"constructor": []}', 'constructor is unknown'],
    ['{"__proto__": []}', '__proto__ is unknown'],
    ['{"agents": "claude"}', 'agents must be a list'],
    ['{"bystanders": ["x", "bash -c"]}', '"bystanders" must not name "bash -c"'],
    ['{"bystanders": ["sh -s"]}', 'must not name "sh -s"'],
    ['{"bystanders": ["/dev/fd/63"]}', 'must not name "/dev/fd/63"'],
    ['{"bystanders": ["bash /dev/fd/63"]}', 'must not name "bash /dev/fd/63"'],
    ['{"bystanders": ["node"]}', '"bystanders" must not name "node"'],
    ['{"bystanders": ["npx"]}', 'must not name "npx"'],
    ['{"bystanders": ["python3.11"]}', 'must not name "python3.11"'],
    ['{"bystanders": ["MainThread"]}', 'must not name "MainThread"'],
    ['{"skip": [1]}', 'skip[0] must be text'],
    ['{"plugins": [""]}', 'plugins[0] must be text that is not empty'],
    ['{"failOn": "fatal"}', 'failOn must be one of info, warning, error'],
    ['{"timeout": "2s"}', 'timeout must be a whole number'],
    ['{"machines": {"mini2": {}}}', 'machines.mini2.reach is missing'],
    ['{"machines": {"mini2": {"reach": []}}}', 'machines.mini2.reach must be a list that is not empty'],
    ['{"machines": {"mini2": {"reach": "ssh mini2"}}}', 'machines.mini2.reach must be a list'],
    ['{"machines": {"mini2": {"reach": ["ssh"], "towns": ["gt"]}}}', 'towns[0] must be text of the form ^/'],
    ['{"machines": {"mini2": {"reach": ["ssh"], "user": "u"}}}', 'machines.mini2.user is unknown'],
    ['{"timeout": 0}', 'timeout must be at least 1'],
    ['{"timeout": 1e12}', 'timeout must be at most 2147483647'],
    ['{"$schema": 1}', '$schema must be text'],
  ])('refuses %s', (text, words) => {
    expect(() => parseConfig(text, '/town/lock-doctor.json')).toThrow(
      expect.objectContaining({ code: 'E_CONFIG', message: expect.stringContaining(words) }),
    );
  });

  test('an unknown key is reported with the known ones', () => {
    expect(() => parseConfig('{"socket": []}', 'f')).toThrow(
      expect.objectContaining({
        hint: 'Known keys: plugins, agents, bystanders, formerHosts, sockets, skip, kinds, failOn, timeout, machines, lease.',
      }),
    );
  });

  test('parses any text or fails with one clear error', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        try {
          parseConfig(text, 'f');
        } catch (error) {
          expect(error).toBeInstanceOf(Failure);
        }
      }),
    );
  });

  test('refuses a directory, a FIFO or a huge file at once', () => {
    const town = makeTown();
    mkdirSync(town.path('lock-doctor.json'));
    expect(() => readConfig(town.root)).toThrow('it is not a regular file');
    const other = makeTown();
    execFileSync('mkfifo', [other.path('lock-doctor.json')]);
    expect(() => readConfig(other.root)).toThrow('it is not a regular file');
    const huge = makeTown();
    huge.write('lock-doctor.json', ' '.repeat(1024 * 1024 + 1));
    expect(() => readConfig(huge.root)).toThrow('it is larger than 1 MiB');
  });
});
