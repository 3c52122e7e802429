/**
 * Reads the registries in which agents' tools list their live sessions: better evidence than any process name. A record counts
 * only together with the process that wrote it, so a record of a dead process proves nothing. Reads only.
 */
import { LATE_MS } from '../../core/pid.ts';
import type { ClosedRegistry, RegisteredSession } from '../../core/types/evidence.ts';
import { withoutStackTraces } from '../processes/linux/proc-files.ts';
import type { ProcessRow, ProcessTable } from '../processes/row.ts';
import { claude } from './claude.ts';
import { copilot } from './copilot.ts';
import { qwen } from './qwen.ts';
import type { FoundRecord, Proof, Registry } from './registry.ts';
import { listRegistry } from './registry-file.ts';
import { registryUsers, usersOfAgents } from './user-homes.ts';

const REGISTRIES: readonly Registry[] = [claude, qwen, copilot];

/** Start times count hundredths of a second, from a clock that is read at another moment. */
const CLOCK_GRAIN_MS = 100;

/** Longest time between an agent's start and its first record. */
const MAX_START_UP_MS = 60_000;

/** What the registries say of the processes of a table. */
export interface Registrations {
  /** The sessions of a process, none for most: a daemon may have several. */
  readonly sessionsOf: (row: Pick<ProcessRow, 'pid' | 'startToken'>) => readonly RegisteredSession[];
  /** Registries that exist but may not be read: they may name any process of their user. */
  readonly closed: readonly ClosedRegistry[];
}

const NO_SESSIONS: readonly RegisteredSession[] = [];

/**
 * Reads the registries of these users, the one who asks first, and those that agents name in their own environments. Each directory
 * is listed once. Without records nothing else is loaded. A record that lacks the published form counts as closed. Never throws.
 */
export const readRegistries = async (
  uids: readonly number[],
  env: Readonly<Record<string, string | undefined>>,
  table: ProcessTable,
): Promise<Registrations> => {
  const { found, closed } = withoutStackTraces(() => lookAround(uids, env, table));
  const sessions = new Map<number, { readonly startToken: string; readonly all: RegisteredSession[] }>();
  const problemIn =
    found.length === 0 ? null : (await import('../../schema/registry-records.ts')).problemInRecord;
  for (const { registry, uid, record } of found) {
    const { tool, form } = registry;
    const row = table.rows.get(record.pid);
    if (row === undefined || row.dead || row.isKernelThread || table.details.uid(row.pid) !== uid) continue;
    const problem = problemIn?.(form, record.value) ?? null;
    if (problem !== null) {
      addClosed({ uid, tool, path: record.path, why: problem, pid: record.pid }, closed);
      continue;
    }
    const claim = registry.claim(record);
    if (claim === null || !isItsProcess(row, claim.proof, table)) continue;
    const { name, status, cwd } = claim;
    const known = sessions.get(row.pid) ?? { startToken: row.startToken, all: [] };
    known.all.push({ tool, name, status, cwd });
    sessions.set(row.pid, known);
  }
  return {
    sessionsOf: ({ pid, startToken }) => {
      const known = sessions.get(pid);
      return known?.startToken === startToken ? known.all : NO_SESSIONS;
    },
    closed,
  };
};

interface Found {
  readonly registry: Registry;
  readonly uid: number;
  readonly record: FoundRecord;
}

/** All records about live processes, unchecked, and the parts of the registries that may not be read. */
const lookAround = (
  uids: readonly number[],
  env: Readonly<Record<string, string | undefined>>,
  table: ProcessTable,
): { readonly found: readonly Found[]; readonly closed: ClosedRegistry[] } => {
  const found: Found[] = [];
  const closed: ClosedRegistry[] = [];
  const read = new Set<string>();
  for (const user of [...registryUsers(uids, env), ...usersOfAgents(table)])
    for (const registry of REGISTRIES)
      for (const directory of registry.directories(user)) {
        const { uid } = user;
        const { tool } = registry;
        const key = `${uid} ${directory}`;
        if (read.has(key)) continue;
        read.add(key);
        const entries = listRegistry(directory);
        if ('closed' in entries) {
          closed.push({ uid, tool, path: directory, why: entries.closed });
          continue;
        }
        for (const record of registry.records({ directory, entries, uid }, table))
          if ('closed' in record) {
            const { path, closed: why, pid, mtimeMs = null } = record;
            if (pid === undefined) addClosed({ uid, tool, path, why }, closed);
            else if (mayBeOf(table.rows.get(pid), mtimeMs))
              addClosed({ uid, tool, path, why, pid, isUnread: true }, closed);
          } else found.push({ registry, uid, record });
      }
  return { found, closed };
};

/** False for a process that started long after that record was written, and so has the number of an earlier one. */
const mayBeOf = (row: ProcessRow | undefined, mtimeMs: number | null): boolean =>
  mtimeMs === null || (row?.startedAtMs ?? 0) <= mtimeMs + LATE_MS;

/** Keeps one doubt per process, however many records it has. */
const addClosed = (one: ClosedRegistry, closed: ClosedRegistry[]): void => {
  if (one.pid === undefined || !closed.some(({ uid, pid }) => uid === one.uid && pid === one.pid))
    closed.push(one);
};

/** A number alone proves nothing: the process must be the one that was there when the record was made. */
const isItsProcess = (row: ProcessRow, proof: Proof, { details }: ProcessTable): boolean => {
  if (proof.by === 'start') return details.notesItsStartAs(row, proof.start);
  const { startedAtMs } = row;
  if (startedAtMs === null) return false;
  const agoMs = proof.atMs - startedAtMs;
  return agoMs >= -CLOCK_GRAIN_MS && (proof.by === 'file' || agoMs <= MAX_START_UP_MS);
};
