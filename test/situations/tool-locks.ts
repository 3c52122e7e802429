/** Locks of tools that contain a PID: path, content, and a root in which one was taken. */
import { utimesSync } from 'node:fs';
import type { ReportLock } from '../../src/core/types/report.ts';
import { examine } from '../../src/diagnose.ts';
import { heal } from '../../src/heal.ts';
import { makeTmuxTmpdir, makeTown } from '../support/index.ts';
import { bareEnvironment } from './stage.ts';

/** A tool, with the path and content of its lock. */
export interface Tool {
  readonly kind: string;
  /** Relative to the root; contains the PID if it is part of the name. */
  readonly path: (pid: number) => string;
  readonly text: (pid: number, takenAtMs: number) => string;
  readonly config?: unknown;
}

const iso = (ms: number): string => new Date(ms).toISOString();

const TOOLS: readonly Tool[] = [
  {
    kind: 'claude-scheduler',
    path: () => 'app/.claude/scheduled_tasks.lock',
    text: (pid, ms) => `{"sessionId":"f3a1c406-7600","pid":${pid},"acquiredAt":${ms}}`,
  },
  {
    kind: 'gsd',
    path: () => 'app/.gsd/auto.lock',
    text: (pid, ms) =>
      JSON.stringify({ pid, startedAt: iso(ms), unitType: 'starting', unitId: 'bootstrap' }, null, 2),
  },
  {
    kind: 'gsd',
    path: () => 'app/.gsd/auto 2.lock',
    text: (pid, ms) => JSON.stringify({ pid, startedAt: iso(ms), unitType: 'starting', unitId: 'bootstrap' }),
  },
  { kind: 'beads', path: () => '.beads/bd.sock.startlock', text: (pid) => `${pid}\n` },
  { kind: 'beads', path: () => 'rig/.beads/dolt-server.pid', text: (pid) => `${pid}` },
  { kind: 'daemon', path: () => 'daemon/daemon.pid', text: (pid) => `${pid}\nffd3378f79d55672` },
  {
    kind: 'daemon',
    path: () => '.runtime/pids/gt-gastown-crew-bear.pid',
    text: (pid) => `${pid}|Mon May  4 10:06:07 2026\n`,
  },
  { kind: 'daemon', path: () => '.runtime/nudge_poller/gt-x.pid', text: (pid) => `${pid}` },
  { kind: 'daemon', path: () => '.gc/nudges/pollers/bear-0a1b.pid', text: (pid) => `${pid}\n` },
  {
    kind: 'openclaw',
    config: { kinds: { openclaw: true } },
    path: () => 'agents/main/sessions/5f3a.jsonl.lock',
    text: (pid, ms) => JSON.stringify({ pid, createdAt: iso(ms), maxHoldMs: 10 ** 12 }, null, 2),
  },
  {
    kind: 'openclaw',
    config: { kinds: { openclaw: true } },
    path: () => '.openclaw/gateway.0a1b2c3d.lock',
    text: (pid, ms) => JSON.stringify({ pid, createdAt: iso(ms), configPath: '/c' }),
  },
  {
    kind: 'copilot',
    config: { kinds: { copilot: true } },
    path: (pid) => `session-state/0f-1e/inuse.${pid}.lock`,
    text: () => '',
  },
  {
    kind: 'codex',
    config: { kinds: { codex: true } },
    path: () => 'app-server-daemon/app-server.pid',
    text: (pid) => `{"pid":${pid},"processStartTime":"Wed Aug 26 10:25:14 2026"}`,
  },
  {
    kind: 'codex',
    config: { kinds: { codex: true } },
    path: () => 'app-server-daemon/daemon.pid',
    text: (pid) => `${pid}`,
  },
  {
    kind: 'pid-file',
    path: () => 'run/web.pid',
    text: (pid) => `${pid}\n/var/lib/data\n`,
    config: { kinds: { 'pid-file': { files: ['run/*.pid'] } } },
  },
  {
    kind: 'pid-json',
    path: () => 'a/b/build.lock',
    text: (pid, ms) => JSON.stringify({ owner: pid, at: ms }),
    config: { kinds: { 'pid-json': { files: ['**/build.lock'], options: { pid: 'owner', since: 'at' } } } },
  },
];

/** For `describe.each`. */
export const rows = TOOLS.map((tool) => [tool.kind, tool.path(1), tool] as const);

export const HOUR_MS = 3_600_000;
export const WEEK_MS = 7 * 24 * HOUR_MS;

/** Creates a root in which the tool took its lock `ageMs` ago. */
export const lockedBy = (tool: Tool, pid: number, ageMs: number) => {
  const town = makeTown({ marked: false, workers: [], rigs: {} });
  const env = bareEnvironment(makeTmuxTmpdir());
  if (tool.config !== undefined) town.write('lock-doctor.json', JSON.stringify(tool.config));
  const takenAtMs = Date.now() - ageMs;
  const path = town.write(tool.path(pid), tool.text(pid, takenAtMs));
  utimesSync(path, takenAtMs / 1000, takenAtMs / 1000);
  const judge = async (): Promise<ReportLock> => {
    const { locks } = await examine(town.root, { env });
    const [lock] = locks;
    if (lock === undefined || locks.length > 1) throw new Error(`${locks.length} locks instead of one`);
    return lock;
  };
  const fix = () => heal(town.root, { env, dryRun: false });
  return { town, path, judge, fix };
};
