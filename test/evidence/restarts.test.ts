/** When this kernel and this container started, and that a clock that was set does not make it later. */
import { statSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { readHost } from '../../src/evidence/host.ts';
import {
  type ContainerSigns,
  containerStart,
  isWslMachine,
  kernelStart,
  numbersAreOurs,
  parseMounts,
  unseenOutside,
  withStarts,
} from '../../src/evidence/restarts.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 23, 3, 0, 0);

const DOCKER = parseMounts(
  [
    '700 600 0:55 / / rw,relatime - overlay overlay rw,lowerdir=/l',
    '701 700 0:58 / /proc rw - proc proc rw',
    '702 700 0:59 / /dev rw,nosuid - tmpfs tmpfs rw',
    '705 700 254:1 /var/lib/docker/containers/4e44/hostname /etc/hostname rw,relatime - ext4 /dev/vda1 rw',
  ].join('\n'),
);
const HOST = parseMounts(
  [
    '24 27 0:6 / /dev rw,relatime shared:2 - devtmpfs devtmpfs rw,size=1k',
    '27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw',
  ].join('\n'),
);

const signs: ContainerSigns = {
  hostname: '4e449adbac66',
  mounts: DOCKER,
  sharesHostname: false,
  townIsOnRoot: false,
  stampMs: NOW - HOUR,
  processOneMs: NOW - HOUR + 100,
  processOne: 'sh',
};

describe('the start of the kernel', () => {
  test('is the earlier of the stamp and the time from the kernel’s counter', () => {
    expect(kernelStart(HOST, NOW - DAY, NOW - DAY + 1000)).toBe(NOW - DAY);
    expect(kernelStart(HOST, NOW - DAY + 1000, NOW - DAY)).toBe(NOW - DAY);
  });

  test('does not get younger while a virtual machine is paused', () => {
    // It ran for an hour, was paused for a day, and the clock was set afterwards.
    expect(kernelStart(HOST, NOW - DAY - HOUR, NOW - HOUR)).toBe(NOW - DAY - HOUR);
  });

  test('is unknown without a stamp of the start', () => {
    expect(kernelStart(HOST, NOW, NOW - DAY)).toBeNull();
    expect(kernelStart(HOST, null, NOW - DAY)).toBeNull();
    expect(kernelStart(HOST, NOW - DAY, null)).toBeNull();
    expect(kernelStart(DOCKER, NOW - DAY, NOW - DAY)).toBeNull();
    expect(kernelStart([], NOW - DAY, NOW - DAY)).toBeNull();
  });
});

describe('the start of the container', () => {
  test('is known if the host name is its ID, or the town is on its private root', () => {
    expect(containerStart(signs)).toBe(NOW - HOUR);
    expect(containerStart({ ...signs, hostname: 'dev', townIsOnRoot: true })).toBe(NOW - HOUR);
  });

  test('is that of the container, not of a sandbox within it', () => {
    expect(containerStart({ ...signs, processOneMs: NOW - 1000 })).toBe(NOW - HOUR);
  });

  test.each<[string, Partial<ContainerSigns>]>([
    ['a name that another container or the host may have', { hostname: 'dev' }],
    ['the host name of the machine', { sharesHostname: true }],
    [
      'no file of a container runtime, as below unshare or bwrap on a host',
      { mounts: HOST, townIsOnRoot: true },
    ],
    ['a root that others share', { hostname: 'dev', townIsOnRoot: true, mounts: [...DOCKER, ...HOST] }],
    ['a stamp that is not from the start', { stampMs: NOW }],
    ['no start time of process 1', { processOneMs: null }],
  ])('is unknown with %s', (_, change) => {
    expect(containerStart({ ...signs, ...change })).toBeNull();
    expect(numbersAreOurs({ ...signs, ...change })).toBe(false);
  });

  test('means that PIDs under its host name are ours', () => {
    expect(numbersAreOurs(signs)).toBe(true);
    expect(numbersAreOurs({ ...signs, processOneMs: NOW - HOUR + 60_000 })).toBe(false);
  });

  test.each<[boolean, Partial<ContainerSigns>]>([
    [true, { processOne: 'systemd' }],
    [true, { processOne: 'init' }],
    [false, { processOne: 'bwrap' }],
    [false, { processOne: 'systemd', townIsOnRoot: false }],
    [false, { processOne: 'systemd', sharesHostname: true }],
  ])(
    'tells whether PIDs are ours (%s) in a container that boots like a machine, with %j',
    (expected, change) => {
      const machine = { ...signs, hostname: 'dev', mounts: HOST, townIsOnRoot: true };
      expect(numbersAreOurs({ ...machine, ...change })).toBe(expected);
    },
  );
});

test.each<[ReturnType<typeof unseenOutside>, string, Partial<ContainerSigns>]>([
  [null, 'a container with the town on its own root', { townIsOnRoot: true }],
  ['container', 'a container with a mounted town', {}],
  [
    'container',
    'a pod, whose name is no ID and whose process 1 is younger',
    { hostname: 'pod', processOneMs: NOW },
  ],
  [
    'container',
    'a distribution of WSL2 with the town on a drive',
    { sharesHostname: true, processOne: 'init' },
  ],
  ['container', 'a system that hides its namespaces', { sharesHostname: null, mounts: HOST }],
  ['sandbox', 'a sandbox that shares the host name', { sharesHostname: true, townIsOnRoot: true }],
  ['sandbox', 'a sandbox with a name of its own', { hostname: 'x', mounts: HOST, townIsOnRoot: true }],
])('%s: nobody is seen outside of %s', (expected, _, change) => {
  expect(unseenOutside({ ...signs, ...change })).toBe(expected);
});

describe('a WSL2 distribution', () => {
  const release = '5.15.167.4-microsoft-standard-WSL2\n';
  const mounts = parseMounts('70 60 8:32 / / rw,relatime - ext4 /dev/sdc rw,discard');
  const signs = { release, processOne: 'systemd', mounts, townIsOnRoot: true };

  test('counts as a machine', () => {
    expect(isWslMachine(signs)).toBe(true);
    expect(isWslMachine({ ...signs, processOne: 'init' })).toBe(true);
  });

  test.each([
    ['another kernel', { release: '6.8.0-45-generic' }],
    ['a sandbox or a container', { processOne: 'bwrap' }],
    ['a drive that Windows and other distributions share', { townIsOnRoot: false }],
    ['a container on it', { mounts: DOCKER }],
  ])('is not confused with %s', (_, change) => {
    expect(isWslMachine({ ...signs, ...change })).toBe(false);
  });
});

(process.platform === 'linux' ? test : test.skip)(
  'this machine started in the past, and not after the creation of /dev/null',
  () => {
    const host = withStarts(readHost(), '/', null);
    if (host.bootedAtMs === null || host.bootedAtMs === undefined) return;
    expect(host.bootedAtMs).toBeLessThan(Date.now());
    expect(host.bootedAtMs).toBeLessThanOrEqual(statSync('/dev/null').ctimeMs);
  },
);
