/**
 * Fifty contenders for one identity in a real etcd. In a file of its own, because it must not delay tests with time limits.
 * Runs in a PID namespace: leases and our own records name their holder by more than a PID.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import { bareEnvironment, PROGRAM } from '../cli/run-cli.ts';
import { canBecomeOthers, cleanUp, startProcess } from '../support/index.ts';
import { startEtcd } from './etcd-server.ts';
import { at, execArgs, machine, withEtcd } from './under-lease.ts';

afterEach(cleanUp);

/** Runs what follows below a process 1 with the name of an init: in a mere sandbox the doctor starts nothing. */
const AS_INIT = ['sh', '-c', 'printf init >/proc/1/comm; "$@"; exit $?', 'sh'];

withEtcd('exec --lease', () => {
  test('runs fifty contenders on fifty machines one at a time', async () => {
    const etcd = await startEtcd();
    const log = machine().path('log');
    writeFileSync(log, '');
    const script = `echo start >> '${log}'; sleep 0.02; echo end >> '${log}'`;
    const contenders = await Promise.all(
      Array.from({ length: 50 }, (_each, number) => {
        const command = [PROGRAM, ...execArgs(machine(), at(etcd), ['--wait', '300'], ['sh', '-c', script])];
        // Root can give some of them a PID namespace of their own, as on other machines and in containers.
        const inNamespace = canBecomeOthers && number % 5 === 0;
        return startProcess(
          inNamespace ? 'unshare' : process.execPath,
          inNamespace
            ? [
                ...['--pid', '--fork', '--kill-child', '--mount-proc'],
                ...AS_INIT,
                process.execPath,
                ...command,
              ]
            : command,
          { env: bareEnvironment() },
        );
      }),
    );
    const codes = await Promise.all(
      contenders.map(({ child }) => new Promise((resolve) => void child.once('exit', resolve))),
    );
    expect(new Set(codes)).toEqual(new Set([0]));
    expect(readFileSync(log, 'utf8')).toBe('start\nend\n'.repeat(50));
    expect(await etcd.keys()).toEqual([]);
  }, 300_000);
});
