/** Registries with one JSON file for each live session, named after its process, as Claude Code has. */
import { type FoundRecord, labelIn, type Proof, type Registry, type SessionClaim } from './registry.ts';
import { readRegistryFile } from './registry-file.ts';

/** `4711.json`, and `4711-0a1b2c3d.json` for one of several sessions of a daemon. Older `pid-4711.json` are orphans. */
const RECORD_NAME = /^(\d{1,10})(?:-[0-9a-f]{8})?\.json$/;

/** Records that are read of one registry: more are not the work of the tool. */
const MAX_RECORDS = 512;

type Reader = Pick<Registry, 'records' | 'form' | 'claim'>;

/** Reads the records whose number belongs to a live process; others prove nothing and are not opened. */
const records: Registry['records'] = ({ directory, entries, uid }, table) => {
  const candidates = entries
    .map((entry) => ({
      path: `${directory}/${entry}`,
      pid: Number(RECORD_NAME.exec(entry)?.[1] ?? Number.NaN),
    }))
    .filter(({ pid }) => table.rows.has(pid));
  const found = candidates.slice(0, MAX_RECORDS).flatMap(({ path, pid }) => {
    const file = readRegistryFile(path, uid);
    if (file === null) return [];
    return 'closed' in file ? { path, pid, ...file } : parse(path, pid, file.text, file.mtimeMs);
  });
  return candidates.length > MAX_RECORDS
    ? [...found, { path: directory, closed: 'it holds too many records' }]
    : found;
};

const parse = (path: string, pid: number, text: string, atMs: number) => {
  try {
    return { path, pid, value: JSON.parse(text) as unknown, atMs };
  } catch {
    return { path, pid, closed: 'it is not JSON', mtimeMs: atMs };
  }
};

/** What `session-record.schema.json` promises of a record. */
interface SessionRecord {
  readonly pid: number;
  readonly cwd: string;
  readonly procStart?: string | null;
  readonly startedAt?: number;
  readonly name?: unknown;
  readonly status?: unknown;
}

/** Null for a record that is not about the process of its name. */
export const claim = ({ pid, value }: FoundRecord): SessionClaim | null => {
  const record = value as SessionRecord;
  if (record.pid !== pid) return null;
  return {
    proof: proofIn(record),
    cwd: record.cwd,
    name: labelIn(record.name),
    status: labelIn(record.status),
  };
};

/** Records of early versions have no `procStart`. */
const proofIn = ({ procStart, startedAt }: SessionRecord): Proof =>
  typeof procStart === 'string'
    ? { by: 'start', start: procStart }
    : { by: 'session-start', atMs: startedAt ?? Number.NaN };

/** How such registries are read. */
export const sessionFiles: Reader = { records, form: 'session-record', claim };
