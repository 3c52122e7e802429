/** GitHub Copilot CLI's live sessions: `session-state/<uuid>/inuse.<pid>.lock`, with the place in `workspace.yaml` beside it. */
import { readdirSync } from 'node:fs';
import { describeErrno, isAbsence } from '../../io/errno.ts';
import { processNames, runsScripts } from '../processes/process-names.ts';
import type { ProcessRow, ProcessTable } from '../processes/row.ts';
import { below, type Found, labelIn, type Registry, type RegistryListing, textIn } from './registry.ts';
import { readRegistryFile } from './registry-file.ts';

/** What a process of it is called. Nothing else counts: locks of ended sessions stay, and their numbers are used again. */
const NAMES: readonly string[] = ['copilot', 'copilot-cli'];

const SESSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LOCK = /^inuse\.(\d{1,10})\.lock$/;

/** Ended sessions are kept for good: beyond this many they are not looked through. */
const MAX_SESSIONS = 2000;

/** Sessions are looked into only while a copilot runs: there may be a year of them. */
const claims = ({ directory, entries, uid }: RegistryListing, table: ProcessTable): readonly Found[] => {
  const rows = [...table.rows.values()].filter((row) => isCopilot(row, table));
  if (rows.length === 0) return [];
  const running = new Set(rows.map(({ pid }) => pid));
  const sessions = entries.filter((entry) => SESSION.test(entry));
  const found = sessions
    .slice(0, MAX_SESSIONS)
    .flatMap((session) => claimsOf(`${directory}/${session}`, uid, running));
  if (sessions.length > MAX_SESSIONS) found.push({ path: directory, closed: 'holds too many sessions' });
  return found;
};

const isCopilot = ({ pid, comm, dead }: ProcessRow, { details }: ProcessTable): boolean => {
  if (dead) return false;
  if (NAMES.includes(comm)) return true;
  return runsScripts(comm) && processNames(comm, details.argv(pid)).some((name) => NAMES.includes(name));
};

const claimsOf = (session: string, uid: number, running: ReadonlySet<number>): Found[] => {
  let names: readonly string[];
  try {
    names = readdirSync(session);
  } catch (error) {
    return isAbsence(error) ? [] : [{ path: session, closed: describeErrno(error) }];
  }
  return names.flatMap((name): readonly Found[] => {
    const pid = Number(LOCK.exec(name)?.[1] ?? Number.NaN);
    if (!running.has(pid)) return [];
    const lock = readRegistryFile(`${session}/${name}`, uid);
    if (lock === null || 'closed' in lock) return lock === null ? [] : [lock];
    const workspace = readRegistryFile(`${session}/workspace.yaml`, uid);
    if (workspace === null || 'closed' in workspace) return workspace === null ? [] : [workspace];
    const cwd = scalarIn(workspace.text, 'cwd');
    if (cwd === null || !cwd.startsWith('/')) return [];
    const proof = { by: 'file', atMs: lock.mtimeMs } as const;
    return [{ pid, proof, cwd, name: labelIn(scalarIn(workspace.text, 'name')), status: null }];
  });
};

/**
 * A top-level scalar of a YAML document, plain or quoted on one line, as this file has them; null for anything else. JSON's
 * quotes are YAML's double ones.
 */
export const scalarIn = (yaml: string, key: string): string | null => {
  const line = yaml.split('\n').find((text) => text.startsWith(`${key}:`));
  const value = line?.slice(key.length + 1).trim() ?? '';
  if (value.startsWith("'")) return textIn(/^'((?:[^']|'')*)'$/.exec(value)?.[1]?.replaceAll("''", "'"));
  if (!value.startsWith('"')) return /^[\w/.~]/.test(value) ? textIn(value.replace(/ #.*$/, '')) : null;
  try {
    return textIn(JSON.parse(value));
  } catch {
    return null;
  }
};

/** The registry, for the list in `registries.ts`. */
export const copilot: Registry = {
  tool: 'copilot',
  directories: below('COPILOT_HOME', '.copilot', 'session-state'),
  claims,
};
