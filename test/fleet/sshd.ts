/** Real sshd on loopback, each with its own configuration, host key and port; for root each in its own namespaces. */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MachineConfig } from '../../src/config.ts';
import { PROGRAM } from '../cli/run-cli.ts';
import { canBecomeOthers, freePort, onCleanUp, until } from '../support/index.ts';
import { accountName } from '../support/user-name.ts';

const SSHD = ['/usr/sbin/sshd', '/usr/bin/sshd'].find(existsSync);

/** Both halves of OpenSSH are installed, and whoever runs the tests has an account to log in to. */
export const hasSshd = SSHD !== undefined && accountName !== null && spawnSync('ssh', ['-V']).status === 0;

/** Processes can get their own host name and PIDs. */
export const canUnshare =
  canBecomeOthers && spawnSync('unshare', ['--uts', '--pid', '--fork', '--mount-proc', 'true']).status === 0;

/** The directory that sshd requires when root starts it, and that only a boot creates. */
const PRIVILEGE_SEPARATION = '/run/sshd';

export interface SshMachine {
  /** Its name in the client's configuration. */
  readonly name: string;
  readonly port: number;
  /** How to reach it, as a person would write it. */
  readonly reach: readonly string[];
  readonly stop: () => Promise<void>;
}

export interface SshNet {
  /** Starts a machine; with `host` in its own namespaces under that host name; `path` comes first in its PATH. */
  readonly start: (
    name: string,
    options?: { readonly host?: string; readonly path?: string },
  ) => Promise<SshMachine>;
  /** How the client reaches the same machine at a port where something else answers. */
  readonly pretend: (name: string, port: number) => readonly string[];
}

const answers = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

const makeKey = (file: string): void => {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
};

/** A net of such machines with one client, which has its own keys and uses no files of the tester. */
export const sshNet = (): SshNet => {
  const home = mkdtempSync(join(tmpdir(), 'ssh-'));
  onCleanUp(() => rmSync(home, { recursive: true, force: true }));
  const file = (name: string): string => join(home, name);
  makeKey(file('id'));
  writeFileSync(file('config'), '');
  writeFileSync(file('known_hosts'), '');
  const hosts: string[] = [];
  const known: string[] = [];
  const addHost = (name: string, port: number): readonly string[] => {
    hosts.push(
      `Host ${name}\n  HostName 127.0.0.1\n  Port ${port}\n  User ${accountName}\n  IdentityFile ${file('id')}\n` +
        `  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile ${file('known_hosts')}\n  StrictHostKeyChecking yes\n  LogLevel ERROR\n`,
    );
    writeFileSync(file('config'), hosts.join('\n'));
    return ['ssh', '-F', file('config'), name];
  };
  if (canBecomeOthers && !existsSync(PRIVILEGE_SEPARATION)) {
    mkdirSync(PRIVILEGE_SEPARATION, { mode: 0o755 });
    onCleanUp(() => rmSync(PRIVILEGE_SEPARATION, { recursive: true }));
  }
  const start: SshNet['start'] = async (name, { host, path = dirname(process.execPath) } = {}) => {
    const port = await freePort();
    const key = file(`${name}.key`);
    makeKey(key);
    writeFileSync(
      file(`${name}.conf`),
      [
        `Port ${port}`,
        'ListenAddress 127.0.0.1',
        `HostKey ${key}`,
        `AuthorizedKeysFile ${file('id.pub')}`,
        'PidFile none',
        'StrictModes no',
        'UsePAM no',
        'PasswordAuthentication no',
        'PermitRootLogin prohibit-password',
        'LogLevel ERROR',
        // The PATH of a login shell, without the startup files of whoever tests; the doctor itself is called by its path.
        `SetEnv PATH=${path}:${dirname(process.execPath)}:/usr/local/bin:/usr/bin:/bin TMUX_TMPDIR=${home} HOME=${home}`,
        '',
      ].join('\n'),
    );
    const words = [SSHD ?? 'sshd', '-D', '-e', '-f', file(`${name}.conf`)];
    // Process 1 bears the name of an init, as on a machine: in a mere sandbox the doctor is unsure of everything.
    const inNamespaces = [
      '--uts',
      '--pid',
      '--fork',
      '--kill-child',
      '--mount-proc',
      'sh',
      '-c',
      'hostname "$0" && printf init >/proc/1/comm && "$@"; exit',
    ];
    const child =
      host === undefined
        ? spawn(words[0] ?? '', words.slice(1), { stdio: 'ignore' })
        : spawn('unshare', [...inNamespaces, host, ...words], { stdio: 'ignore' });
    const stop = (): Promise<void> => end(child);
    onCleanUp(stop);
    await until(() => answers(port), `sshd on port ${port}`);
    const [type, bytes] = execFileSync('ssh-keygen', ['-y', '-f', key], { encoding: 'utf8' }).split(' ');
    known.push(`[127.0.0.1]:${port} ${type} ${bytes}`);
    writeFileSync(file('known_hosts'), `${known.map((line) => line.trim()).join('\n')}\n`);
    return { name, port, reach: addHost(name, port), stop };
  };
  return { start, pretend: addHost };
};

const end = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once('exit', () => resolve());
    // unshare(1) is deaf to SIGTERM while its child runs.
    child.kill('SIGKILL');
  });

/** A configured machine on which the doctor under test is installed. */
export const onSsh = ({ reach }: Pick<SshMachine, 'reach'>, more: Partial<MachineConfig>): MachineConfig => ({
  reach,
  doctor: [process.execPath, PROGRAM],
  ...more,
});
