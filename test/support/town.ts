import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onCleanUp } from './clean-up.ts';
import { deadPid } from './dead-pid.ts';
import { until } from './until.ts';

export interface TownOptions {
  /** Where to create it; default a new directory below the system's temporary directory. */
  readonly root?: string;
  /** Rig name → session prefix (null: left out). Default `{ gastown: 'gt' }`. */
  readonly rigs?: Readonly<Record<string, string | null>>;
  /** Worker directories to create. Default `['gastown/crew/ada']`. */
  readonly workers?: readonly string[];
  /** Write `mayor/town.json` and `mayor/rigs.json`. Default true. */
  readonly marked?: boolean;
}

export interface LockOptions {
  /** Age of the file and, unless a field says otherwise, of `acquired_at`. Default 3600. */
  readonly ageSeconds?: number;
  /** Path below the worker. Default `.runtime/agent.lock`. */
  readonly at?: string;
}

/** The fields of a lock file; `undefined` leaves one out. */
export interface LockFields {
  readonly pid?: unknown;
  readonly acquired_at?: unknown;
  readonly session_id?: unknown;
  readonly hostname?: unknown;
  readonly [extra: string]: unknown;
}

export interface TestTown {
  /** Absolute, symlinks resolved. */
  readonly root: string;
  /** The absolute path of something below the root. */
  readonly path: (...parts: string[]) => string;
  /** Creates a worker directory and returns its absolute path. */
  readonly worker: (name: string) => string;
  /**
   * Writes `<worker>/.runtime/agent.lock` and returns its path. Fields default to a dead PID, an hour ago, no session and
   * this host; text or bytes are written as they are.
   */
  readonly lock: (
    worker: string,
    content?: LockFields | string | Uint8Array,
    options?: LockOptions,
  ) => string;
  readonly write: (path: string, text: string | Uint8Array) => string;
  readonly remove: () => void;
}

/** Creates a town in a temporary directory, which `cleanUp` (or `remove`) deletes. */
export const makeTown = (options: TownOptions = {}): TestTown => {
  const made = options.root ?? mkdtempSync(join(tmpdir(), 'town-'));
  mkdirSync(made, { recursive: true });
  const root = realpathSync(made);
  const path = (...parts: string[]): string => join(root, ...parts);
  const write = (relative: string, text: string | Uint8Array): string => {
    const target = path(relative);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, text);
    return target;
  };
  const worker = (name: string): string => {
    mkdirSync(path(name), { recursive: true });
    return path(name);
  };
  const lock = (
    name: string,
    content: LockFields | string | Uint8Array = {},
    at: LockOptions = {},
  ): string => {
    const seconds = at.ageSeconds ?? 3600;
    const takenAt = new Date(Date.now() - seconds * 1000);
    const bytes =
      typeof content === 'string' || content instanceof Uint8Array ? content : lockText(content, takenAt);
    const target = write(join(name, at.at ?? '.runtime/agent.lock'), bytes);
    chmodSync(target, 0o644);
    utimesSync(target, takenAt, takenAt);
    return target;
  };
  const remove = (): void => rmSync(root, { recursive: true, force: true });

  if (options.marked ?? true) {
    write(
      'mayor/town.json',
      '{"type":"town","version":2,"name":"test","created_at":"2026-01-01T00:00:00Z"}\n',
    );
    write('mayor/rigs.json', rigsText(options.rigs ?? { gastown: 'gt' }));
  }
  for (const name of options.workers ?? ['gastown/crew/ada']) worker(name);
  // A program that is about to end may still write there.
  const isRemoved = (): boolean => {
    try {
      remove();
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTEMPTY') return false;
      throw error;
    }
  };
  onCleanUp(async () => void (await until(isRemoved, `the removal of ${root}`)));
  return { root, path, worker, lock, write, remove };
};

/** A lock file's text as its usual writer formats it: two-space indent, no final newline. */
const lockText = (fields: LockFields, takenAt: Date): string =>
  JSON.stringify(
    { pid: deadPid(), acquired_at: takenAt.toISOString(), hostname: hostname(), ...fields },
    null,
    2,
  );

const rigsText = (rigs: Readonly<Record<string, string | null>>): string => {
  const entries = Object.entries(rigs).map(([name, prefix]) => [
    name,
    {
      git_url: `https://example.org/${name}.git`,
      ...(prefix === null ? {} : { beads: { repo: 'local', prefix } }),
    },
  ]);
  return `${JSON.stringify({ version: 1, rigs: Object.fromEntries(entries) }, null, 2)}\n`;
};
