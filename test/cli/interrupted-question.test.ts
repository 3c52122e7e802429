/** When a signal ends the doctor, the programs that it runs end too: a tmux server may never answer. */
import { chownSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, expect, test } from '@jest/globals';
import { buildCli } from '../exec/built-cli.ts';
import {
  canBecomeOthers,
  cleanUp,
  hasTmux,
  makeTown,
  OTHER_UID,
  onCleanUp,
  until,
} from '../support/index.ts';

const cli = buildCli();
const canLook = hasTmux && process.platform === 'linux';

afterEach(cleanUp);
afterAll(cli.remove);

/** PIDs of processes that have this word among their arguments, except the doctor's. */
const clientsOf = (socket: string, doctor: number): readonly number[] =>
  readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === doctor) return [];
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(socket) ? [Number(name)] : [];
    } catch {
      return [];
    }
  });

/** A server that accepts connections and never answers. */
const muteServer = async (path: string, uid: number): Promise<void> => {
  const connections: Socket[] = [];
  const server = createServer((connection) => void connections.push(connection));
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  chownSync(path, uid, uid);
  onCleanUp(() => {
    for (const connection of connections) connection.destroy();
    server.close();
  });
};

const us = process.getuid?.() ?? 0;
const askers = [
  { whose: 'our own', uid: us, possible: canLook },
  { whose: "another user's", uid: OTHER_UID, possible: canLook && canBecomeOthers },
];

for (const { whose, uid, possible } of askers)
  (possible ? test : test.skip)(`the client of ${whose} server ends with the doctor`, async () => {
    const town = makeTown();
    town.lock('gastown/crew/ada', { pid: 4_194_305 });
    mkdirSync(town.path('sockets'), { mode: 0o755 });
    const socket = town.path('sockets', 'mute');
    await muteServer(socket, uid);
    for (const path of [town.root, town.path('sockets'), town.path('gastown/crew/ada/.runtime/agent.lock')])
      chownSync(path, uid, uid);
    const doctor = cli.start(['--town', town.root, '--socket', socket], {
      env: { TMUX_TMPDIR: town.path('none') },
      detached: true,
    });
    await until(() => clientsOf(socket, doctor.pid).length > 0, 'a client');
    const clients = clientsOf(socket, doctor.pid);
    process.kill(doctor.pid, 'SIGINT');
    const { code, signal } = await doctor.ended;
    expect(code ?? signal).toBe('SIGINT');
    await until(() => clientsOf(socket, doctor.pid).length === 0, `the end of the client ${clients}`);
  });
