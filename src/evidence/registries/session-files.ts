/** Registries that keep one JSON file for each live session, named after its process: Claude Code's, and those alike. */
import type { ProcessTable } from '../processes/row.ts';
import {
  type Found,
  labelIn,
  type Proof,
  type RegistryListing,
  type SessionClaim,
  textIn,
} from './registry.ts';
import { readRegistryFile } from './registry-file.ts';

/** `4711.json`, and `4711-0a1b2c3d.json` for one of several sessions of a daemon. Older `pid-4711.json` are orphans. */
const RECORD_NAME = /^(\d{1,10})(?:-[0-9a-f]{8})?\.json$/;

/** No process has more sessions; whoever makes more files wants something else. */
const MAX_RECORDS = 512;

/** Reads the records whose number is a live process's; the others are evidence of nothing and are not opened. */
export const claimsOfSessionFiles = (
  { directory, entries, uid }: RegistryListing,
  table: ProcessTable,
): readonly Found[] => {
  const candidates = entries
    .map((entry) => ({ entry, pid: Number(RECORD_NAME.exec(entry)?.[1] ?? Number.NaN) }))
    .filter(({ pid }) => table.rows.has(pid));
  const found: Found[] = candidates.slice(0, MAX_RECORDS).flatMap(({ entry, pid }) => {
    const file = readRegistryFile(`${directory}/${entry}`, uid);
    if (file === null || 'closed' in file) return file ?? [];
    return claimIn(file.text, pid) ?? [];
  });
  if (candidates.length > MAX_RECORDS) found.push({ path: directory, closed: 'holds too many records' });
  return found;
};

/** What a record claims; null for anything that is none, or that is not about the process of its name. */
export const claimIn = (text: string, pid: number): SessionClaim | null => {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof record !== 'object' || record === null) return null;
  const fields = record as Readonly<Record<string, unknown>>;
  const cwd = textIn(fields.cwd);
  const proof = proofIn(fields);
  if (fields.pid !== pid || cwd === null || !cwd.startsWith('/') || proof === null) return null;
  return { pid, proof, cwd, name: labelIn(fields.name), status: labelIn(fields.status) };
};

/** Records of early versions have no `procStart`; one that is there and no text is nobody's. */
const proofIn = ({ procStart, startedAt }: Readonly<Record<string, unknown>>): Proof | null => {
  const start = textIn(procStart);
  if (start !== null) return { by: 'start', start };
  if (procStart !== undefined && procStart !== null) return null;
  return typeof startedAt === 'number' && Number.isFinite(startedAt)
    ? { by: 'session-start', atMs: startedAt }
    : null;
};
