import { execFileSync } from 'node:child_process';
import { describe, expect, test } from '@jest/globals';
import type { MachineConfig } from '../../src/config.ts';
import { commandThere } from '../../src/fleet/command-there.ts';
import { chooseMachines, commandOn, questionTo } from '../../src/fleet/machine.ts';

const KNOWN: Readonly<Record<string, MachineConfig>> = {
  mini2: { reach: ['ssh', '-p', '2222', 'ada@mini2.lan'], towns: ['/srv/gt'], hosts: ['Mac-Studio.local'] },
  box: { reach: ['docker', 'exec', '-i', 'box'], shared: true },
  pod: { reach: ['kubectl', 'exec', '-i', 'agents-0', '--'], shared: true },
};

const choose = (on: readonly string[], known = KNOWN) => chooseMachines(on, known, '/town', false);
const only = (on: string, known = KNOWN) => {
  const [machine] = choose([on], known).machines;
  if (machine === undefined) throw new Error('no machine');
  return machine;
};

describe('the machines of a run', () => {
  test('are all configured ones if none is named', () => {
    const { machines, named } = choose([]);
    expect(machines.map(({ name }) => name)).toEqual(['mini2', 'box', 'pod']);
    expect(named).toEqual(['here', 'mini2', 'box', 'pod']);
    expect(machines.map(({ towns }) => towns)).toEqual([['/srv/gt'], ['/town'], ['/town']]);
  });

  test('are the named ones, with all that share a directory with one of them', () => {
    expect(choose(['mini2']).machines.map(({ name }) => name)).toEqual(['mini2']);
    const { machines, named } = choose(['box']);
    expect(machines.map(({ name }) => name)).toEqual(['box', 'pod']);
    expect(named).toEqual(['box']);
    expect(choose(['here', 'mini2']).named).toEqual(['here', 'mini2']);
  });

  test('have the names that they were given, and no other', () => {
    expect(only('mini2').hosts).toEqual(['mini2', 'mac-studio']);
    expect(only('box').hosts).toEqual(['box']);
    expect(only('bob@build1.lan').hosts).toEqual(['build1']);
    expect(only('docker exec -i web').hosts).toEqual([]);
  });

  test('may be a host for ssh or a command, followed by a town', () => {
    expect(only('build1')).toMatchObject({ name: 'build1', reach: ['ssh', 'build1'], towns: ['/town'] });
    expect(only('docker exec -i web:/work/x')).toMatchObject({
      name: 'docker exec -i web',
      reach: ['docker', 'exec', '-i', 'web'],
      towns: ['/work/x'],
    });
    expect(choose(['mini2:/a', 'mini2:/b']).machines).toMatchObject([{ name: 'mini2', towns: ['/a', '/b'] }]);
  });

  test.each([
    ['-oProxyCommand=touch x'],
    ['-v'],
    ['ssh -v'],
    ['ssh -- -oProxyCommand=x'],
    ['host;id'],
    ['$(id)'],
    // A town needs an absolute path.
    ['mini2:gt'],
    ['mini2:gt?x=1'],
    ['build1:srv//gt'],
    ['a\u0000b'],
    ['\u001b[2Jhost'],
    [''],
    // Words are split only at blanks, so a quoted one would be split.
    [`docker exec -i "my box"`],
    [`sh -c 'cat x'`],
    ['docker exec -i my\\ box'],
  ])('refuses %j', (value) => {
    expect(() => choose([value])).toThrow(expect.objectContaining({ code: 'E_USAGE' }));
  });

  test.each([
    ['-mini2', ['ssh', 'mini2']],
    ['here', ['ssh', 'mini2']],
    ['mini 2', ['ssh', 'mini2']],
    ['a:b', ['ssh', 'mini2']],
    ['x', ['ssh', '-oProxyCommand=x']],
    ['x', ['/usr/bin/ssh']],
    ['x', ['-x', 'y']],
    ['x', ['y', 'a\u0000b']],
  ])('refuses the configured %s %j', (name, reach) => {
    expect(() => choose([], { [name]: { reach } })).toThrow(expect.objectContaining({ code: 'E_CONFIG' }));
  });
});

describe('a command for another machine', () => {
  const NASTY = ['doctor', '--town', "/srv/a b/$(id)/`id`/'q'/\\/*/\n;é", '', '-x', '~', '"', '!x', '#', '='];

  test('is an argument vector, or for ssh, which joins arguments with blanks, quoted once', () => {
    expect(commandOn(only('box'), NASTY)).toEqual(['docker', 'exec', '-i', 'box', ...NASTY]);
    const [line = '', ...before] = [...commandOn(only('mini2'), NASTY)].reverse();
    expect(before.reverse()).toEqual(['ssh', '-p', '2222', 'ada@mini2.lan']);
    // How the shell at the other end splits the line.
    const words = execFileSync('sh', [
      '-c',
      `doctor() { for word; do printf '%s\\0' "$word"; done; }; ${line}`,
    ]);
    expect(words.toString('utf8').split('\0').slice(0, -1)).toEqual(NASTY.slice(1));
  });

  test('is run without a prompt and with a timeout for the connection', () => {
    expect(questionTo(only('mini2'), ['doctor'], 10)).toEqual([
      ...['ssh', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=10'],
      ...['-p', '2222', 'ada@mini2.lan', 'doctor'],
    ]);
    expect(questionTo(only('box'), ['doctor'], 10)).toEqual(['docker', 'exec', '-i', 'box', 'doctor']);
  });

  test('in a report runs there, and touches no path of that machine here', () => {
    const { machines } = choose([]);
    const there = commandThere(machines, new Map([['mini2', '/srv/gt']]), { place: null });
    expect(there('mini2', ['doctor', '--fix', '--worker', 'x', '--yes', '--town', '/srv/gt'])).toEqual([
      'doctor',
      '--fix',
      '--worker',
      'x',
      '--yes',
      '--on',
      'mini2:/srv/gt',
    ]);
    expect(there('mini2', ['git', '-C', '/srv/gt/a b', 'rm', '--cached', 'x'])).toEqual([
      ...['ssh', '-p', '2222', 'ada@mini2.lan', "git -C '/srv/gt/a b' rm --cached x"],
    ]);
    expect(there('box', ['tmux', 'attach'])).toEqual(['docker', 'exec', '-i', 'box', 'tmux', 'attach']);
  });
});
