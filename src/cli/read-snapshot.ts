/** Saved evidence for `--from-snapshot`: what fits `schema/snapshot.schema.json`. A part of its own: few runs need its validator. */
import { resolve } from 'node:path';
import { Failure } from '../core/failure.ts';
import type { Snapshot } from '../core/types/evidence.ts';
import { readNamedFile } from '../io/disk/named-file.ts';
import { describeFailure } from '../io/programs/describe-failure.ts';
import { snapshot as validateSnapshot } from '../schema/compiled/snapshot.ts';
import { problemOf, tellProblem } from '../schema/problem.ts';

/** The evidence of ten thousand locks takes some 15 MiB. */
const MAX_SNAPSHOT_BYTES = 256 * 1024 * 1024;

/** Reads evidence that `--save-snapshot` wrote. Throws `E_IO` or `E_USAGE` with one sentence for anything else. */
export const readSnapshot = (file: string, cwd: string): Snapshot => {
  const path = resolve(cwd, file);
  let text: string;
  try {
    text = readNamedFile(path, MAX_SNAPSHOT_BYTES).toString('utf8');
  } catch (cause) {
    throw new Failure('E_IO', `the snapshot ${path} cannot be read: ${describeFailure(cause)}`, null, {
      cause,
    });
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new Failure('E_USAGE', `${path} is not a snapshot: it is not JSON`, null, { cause });
  }
  const problem = problemOf(validateSnapshot, document);
  if (problem !== null)
    throw new Failure(
      'E_USAGE',
      `${path} is not a snapshot that this version can read: ${tellProblem(problem)}`,
      'doctor --save-snapshot FILE',
    );
  return document as Snapshot;
};
