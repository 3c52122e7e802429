/** GitHub Copilot CLI's live sessions: `session-state/<uuid>/inuse.<pid>.lock`, with the place in `workspace.yaml` beside it. */
import { tryOr } from '../../io/try-or.ts';
import { processNames, runsScripts } from '../processes/process-names.ts';
import type { ProcessRow, ProcessTable } from '../processes/row.ts';
import { below, type ClosedRecord, type FoundRecord, labelIn, type Registry, textIn } from './registry.ts';
import { listRegistry, readRegistryFile } from './registry-file.ts';

/** Names of its processes. No other process counts: locks of ended sessions stay, and their PIDs are reused. */
const NAMES: readonly string[] = ['copilot', 'copilot-cli'];

const SESSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LOCK = /^inuse\.(\d{1,10})\.lock$/;

/** Ended sessions are kept for good: beyond this many they are not looked through. */
const MAX_SESSIONS = 2000;

/** Sessions are looked into only while a copilot runs: there may be a year of them. */
const records: Registry['records'] = ({ directory, entries, uid }, table) => {
  const sessions = entries.filter((entry) => SESSION.test(entry));
  // Few users have any, and finding a running copilot takes every process's command line.
  if (sessions.length === 0) return [];
  const rows = [...table.rows.values()].filter((row) => isCopilot(row, table));
  if (rows.length === 0) return [];
  const running = new Set(rows.map(({ pid }) => pid));
  const found = sessions
    .slice(0, MAX_SESSIONS)
    .flatMap((session) => recordsOf(`${directory}/${session}`, uid, running));
  if (sessions.length > MAX_SESSIONS) found.push({ path: directory, closed: 'it holds too many sessions' });
  return found;
};

const isCopilot = ({ pid, comm, dead }: ProcessRow, { details }: ProcessTable): boolean => {
  if (dead) return false;
  if (NAMES.includes(comm)) return true;
  return runsScripts(comm) && processNames(comm, details.argv(pid)).some((name) => NAMES.includes(name));
};

const recordsOf = (
  session: string,
  uid: number,
  running: ReadonlySet<number>,
): (FoundRecord | ClosedRecord)[] => {
  const names = listRegistry(session);
  if ('closed' in names) return [{ path: session, ...names }];
  return names.flatMap((name): readonly (FoundRecord | ClosedRecord)[] => {
    const pid = Number(LOCK.exec(name)?.[1] ?? Number.NaN);
    if (!running.has(pid)) return [];
    const lock = readRegistryFile(`${session}/${name}`, uid);
    if (lock === null) return [];
    if ('closed' in lock) return [{ path: `${session}/${name}`, pid, ...lock }];
    const path = `${session}/workspace.yaml`;
    const workspace = readRegistryFile(path, uid);
    if (workspace === null) return [];
    if ('closed' in workspace) return [{ path, pid, ...workspace }];
    const value = Object.fromEntries(
      ['cwd', 'name'].flatMap((key) => {
        const text = scalarIn(workspace.text, key);
        return text === null ? [] : [[key, text]];
      }),
    );
    return [{ path, pid, value, atMs: lock.mtimeMs }];
  });
};

/** What `copilot-session.schema.json` promises of a record. */
interface CopilotSession {
  readonly cwd: string;
  readonly name?: unknown;
}

const claim: Registry['claim'] = ({ value, atMs }) => {
  const { cwd, name } = value as CopilotSession;
  return { proof: { by: 'file', atMs }, cwd, name: labelIn(name), status: null };
};

/**
 * A top-level scalar of a YAML document, plain or quoted on one line; null for anything else, a record that cannot be read. JSON's
 * quotes are YAML's double ones.
 */
export const scalarIn = (yaml: string, key: string): string | null => {
  const lines = yaml.split(/\r?\n/);
  const start = new RegExp(`^(["']?)${key}\\1\\s*:(?=\\s|$)`);
  const at = lines.findIndex((text) => start.test(text));
  // The next line may continue the text.
  if (/^\s+[^\s#]/.test(lines[at + 1] ?? '')) return null;
  const value = lines[at]?.replace(start, '').trim() ?? '';
  const quoted = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')(?:\s+#.*)?$/.exec(value)?.[1];
  if (quoted?.startsWith("'")) return textIn(quoted.slice(1, -1).replaceAll("''", "'"));
  if (quoted !== undefined) return tryOr(() => textIn(JSON.parse(quoted)), null);
  return /^[\w/.~]/.test(value) ? textIn(value.replace(/\s+#.*$/, '')) : null;
};

/** The registry, for the list in `registries.ts`. */
export const copilot: Registry = {
  tool: 'copilot',
  directories: below('COPILOT_HOME', '.copilot', 'session-state'),
  records,
  form: 'copilot-session',
  claim,
};
