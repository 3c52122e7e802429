/** Saves the evidence of a run for `--from-snapshot`. */
import { closeSync, constants, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import { describeErrno } from '../io/errno.ts';
import { openSync } from '../io/file-systems/servers.ts';

/** Writes evidence for `--from-snapshot`; readable by its owner alone. Never through a symlink. Throws `E_IO`. */
export const saveSnapshot = (snapshot: Snapshot, file: string, cwd: string): void => {
  const path = resolve(cwd, file);
  const { O_WRONLY, O_CREAT, O_TRUNC, O_NOFOLLOW } = constants;
  try {
    const descriptor = openSync(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, 0o600);
    try {
      const bytes = Buffer.from(`${JSON.stringify(snapshot, null, 2)}\n`);
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    } finally {
      closeSync(descriptor);
    }
  } catch (cause) {
    throw new Failure('E_IO', `the snapshot ${path} cannot be written: ${describeErrno(cause)}`, null, {
      cause,
    });
  }
};
