/** A real etcd on loopback, with free ports and its own data directory; `cleanUp` stops and removes it. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, onCleanUp, until } from '../support/index.ts';

/** True if etcd is installed. */
export const hasEtcd = spawnSync('etcd', ['--version']).status === 0;

/** True if openssl, which makes the certificates, is installed. */
export const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

/** In memory if possible: an etcd syncs each change, which is slow on a busy disk. */
const BASE = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface EtcdServer {
  /** `127.0.0.1:34567` */
  readonly endpoint: string;
  readonly child: ChildProcess;
  /** Sends a request to the JSON gateway. */
  readonly post: (
    path: string,
    body: object,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Record<string, unknown>>;
  /** All keys that exist. */
  readonly keys: () => Promise<readonly string[]>;
  readonly kill: () => Promise<void>;
  /** Starts it again after `kill`, with its own data, or as an unrelated cluster at the same address. */
  readonly restart: (as?: 'itself' | 'another') => Promise<void>;
}

/** Starts a cluster of `size` members; resolves once each answers. */
export const startCluster = async (
  size: number,
  more: readonly string[] = [],
): Promise<readonly EtcdServer[]> => {
  const members = await Promise.all(
    Array.from({ length: size }, async (_, at) => ({
      name: `m${at}`,
      port: await freePort(),
      peer: await freePort(),
    })),
  );
  const cluster = members.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(',');
  const token = `test-${members[0]?.port}`;
  const servers = members.map(({ name, port, peer }) => start(name, port, peer, cluster, token, more));
  await Promise.all(servers.map(({ isReady }) => until(isReady, 'etcd')));
  return servers.map(({ server }) => server);
};

export const startEtcd = async (more: readonly string[] = []): Promise<EtcdServer> => {
  const [server] = await startCluster(1, more);
  if (server === undefined) throw new Error('no server');
  return server;
};

const start = (
  name: string,
  port: number,
  peer: number,
  cluster: string,
  token: string,
  more: readonly string[],
): { readonly server: EtcdServer; readonly isReady: () => Promise<boolean> } => {
  const data = mkdtempSync(join(BASE, 'etcd-'));
  const client = `http://127.0.0.1:${port}`;
  const peers = `http://127.0.0.1:${peer}`;
  const launch = (as: 'itself' | 'another'): ChildProcess =>
    spawn(
      'etcd',
      [
        ...['--name', name, '--data-dir', join(data, as), '--initial-cluster', cluster],
        ...['--initial-cluster-token', `${token}-${as}`],
        ...['--listen-client-urls', client, '--advertise-client-urls', client],
        ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
        ...more,
      ],
      { stdio: 'ignore' },
    );
  let child = launch('itself');
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => void child.once('exit', resolve));
    child.kill('SIGCONT');
    child.kill('SIGKILL');
    await ended;
  };
  const restart: EtcdServer['restart'] = async (as = 'itself') => {
    child = launch(as);
    await until(isReady, 'etcd');
  };
  onCleanUp(async () => {
    await kill();
    rmSync(data, { recursive: true, force: true });
  });
  const post: EtcdServer['post'] = async (path, body, headers = {}) => {
    const answer = await fetch(`${client}/v3/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers,
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  const keys = async (): Promise<readonly string[]> => {
    const { kvs = [] } = (await post('kv/range', { key: 'AA==', range_end: 'AA==' })) as {
      kvs?: { key: string }[];
    };
    return kvs.map(({ key }) => Buffer.from(key, 'base64').toString('utf8'));
  };
  const isReady = async (): Promise<boolean> => {
    try {
      const { header } = await post('kv/range', { key: 'AA==' });
      return header !== undefined;
    } catch {
      return false;
    }
  };
  const server: EtcdServer = {
    endpoint: `127.0.0.1:${port}`,
    get child() {
      return child;
    },
    ...{ post, keys, kill, restart },
  };
  return { server, isReady };
};

/** Starts a server that accepts only TLS with this client certificate; resolves with its `host:port`. */
export const startSecureEtcd = async ({ cert, key }: Certificates): Promise<string> => {
  const data = mkdtempSync(join(BASE, 'etcd-'));
  const endpoint = `127.0.0.1:${await freePort()}`;
  const peers = `http://127.0.0.1:${await freePort()}`;
  const child = spawn(
    'etcd',
    [
      ...['--data-dir', data, '--initial-cluster', `default=${peers}`],
      ...['--listen-client-urls', `https://${endpoint}`, '--advertise-client-urls', `https://${endpoint}`],
      ...['--listen-peer-urls', peers, '--initial-advertise-peer-urls', peers],
      ...['--cert-file', cert, '--key-file', key, '--client-cert-auth', '--trusted-ca-file', cert],
    ],
    { stdio: 'ignore' },
  );
  onCleanUp(async () => {
    child.kill('SIGKILL');
    await new Promise((resolve) => void child.once('exit', resolve));
    rmSync(data, { recursive: true, force: true });
  });
  return endpoint;
};

/** The files of a self-signed certificate for loopback, and of its key. */
export interface Certificates {
  readonly cert: string;
  readonly key: string;
}

export const makeCertificates = (): Certificates => {
  const home = mkdtempSync(join(tmpdir(), 'certs-'));
  onCleanUp(() => rmSync(home, { recursive: true, force: true }));
  const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
  execFileSync(
    'openssl',
    [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
      ],
      ...['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
    ],
    { stdio: 'ignore' },
  );
  return { cert, key };
};
