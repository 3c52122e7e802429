/**
 * The short form of `npm run stress -- --lease`, which mostly waits.
 * Runs in a PID namespace: leases and our own records name their holder by more than a PID.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { hasEtcd } from '../lease/etcd-server.ts';

const withEtcd = hasEtcd ? test : test.skip;

const run = (...args: readonly string[]): Promise<Record<string, unknown>> =>
  new Promise((resolve, reject) => {
    const script = join(import.meta.dirname, 'run.mjs');
    const child = spawn(process.execPath, [script, '--lease', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    child.once('close', () => {
      if (said.startsWith('{')) resolve(JSON.parse(said) as Record<string, unknown>);
      else reject(new Error(`the harness failed: ${said}`));
    });
  });

withEtcd(
  'the harness finds no overlap with --on-lost stop, and finds one with warn (skipped without etcd)',
  async () => {
    const [stop, warn] = await Promise.all([
      run('--seconds', '15'),
      run('--seconds', '0', '--at-most', '90', '--hold', '60', '--on-lost', 'warn'),
    ]);
    expect(stop).toMatchObject({ overlaps: 0, outOfOrder: 0, ok: true });
    expect(Number(stop?.begun)).toBeGreaterThan(0);
    expect(Number(warn?.overlaps)).toBeGreaterThan(0);
    // A store that refuses old epochs is still safe.
    expect(warn).toMatchObject({ outOfOrder: 0, ok: false });
  },
  150_000,
);
