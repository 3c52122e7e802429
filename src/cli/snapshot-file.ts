import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import { examineSnapshot } from '../core/judge/examine.ts';
import type { Snapshot } from '../core/types/evidence.ts';

/** Fields of a snapshot that have to be there before anything is judged. */
const OBJECTS = ['town', 'host', 'asker', 'processes', 'tmux'] as const;
const LISTS = ['locks', 'leftovers', 'legacy', 'gaps', 'asked'] as const;

/** Reads evidence that `--save-snapshot` wrote. Throws `E_IO` or `E_USAGE` with one sentence for anything else. */
export const readSnapshot = (file: string, cwd: string): Snapshot => {
  const path = resolve(cwd, file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Failure('E_IO', `the snapshot ${path} cannot be read (${codeOf(cause)})`, null, { cause });
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new Failure('E_USAGE', `${path} is no snapshot: it is not JSON`, null, { cause });
  }
  if (!isSnapshot(document))
    throw new Failure(
      'E_USAGE',
      `${path} is no snapshot that this version reads`,
      'doctor --save-snapshot FILE',
    );
  try {
    // Judged once here, so that damaged evidence is this file's fault and not a bug of the doctor's.
    examineSnapshot(document);
  } catch (cause) {
    throw new Failure('E_USAGE', `${path} is damaged: its evidence cannot be judged`, null, { cause });
  }
  return document;
};

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
    throw new Failure('E_IO', `the snapshot ${path} cannot be written (${codeOf(cause)})`, null, { cause });
  }
};

const isSnapshot = (document: unknown): document is Snapshot => {
  if (typeof document !== 'object' || document === null) return false;
  const fields = document as Record<string, unknown>;
  return (
    fields.snapshotVersion === 1 &&
    typeof fields.takenAtMs === 'number' &&
    OBJECTS.every((name) => typeof fields[name] === 'object' && fields[name] !== null) &&
    LISTS.every((name) => Array.isArray(fields[name]))
  );
};

const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error));
