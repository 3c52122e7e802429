/**
 * Detects two holders at once, whatever the locks say. A holder has a slot from after its acquire until before its release; a
 * process that enters while another slot belongs to a live process has found an overlap. Everything is written with single
 * system calls, so that a kill loses nothing.
 */
import {
  appendFileSync,
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isDeadStat, parseProcStat } from '../../src/evidence/processes/linux/proc-stat.ts';

/** One letter per event in `events`. */
export const EVENTS = {
  acquired: 'a',
  takenOver: 't',
  released: 'r',
  held: 'h',
  busy: 'b',
  fixed: 'f',
  undone: 'u',
  batches: 'B',
  error: 'e',
  overlaps: 'O',
  lost: 'L',
} as const;
export type EventName = keyof typeof EVENTS;

export interface Oracle {
  readonly count: (event: EventName, detail?: string) => void;
  /** Enters a slot of the worker; counts an overlap if a live process is in another slot. */
  readonly enter: (worker: string) => void;
  readonly leave: (worker: string) => void;
}

/** `kind` names the holder's side in reports of overlaps. */
export const makeOracle = (home: string, kind = 'ours'): Oracle => {
  const events = openSync(join(home, 'events'), 'a');
  const count: Oracle['count'] = (event, detail) => {
    writeSync(events, EVENTS[event]);
    if (detail !== undefined) appendFileSync(join(home, 'details'), `${event}: ${detail}\n`);
  };
  process.once('exit', () => closeSync(events));
  const own = `${process.pid}-${startTicks(process.pid)}-${kind}`;
  const slot = (worker: string, name: string): string => join(home, `slots-${worker}`, name);
  return {
    count,
    enter: (worker) => {
      writeFileSync(slot(worker, own), '');
      for (const name of readdirSync(join(home, `slots-${worker}`))) {
        if (name === own) continue;
        if (isAlive(name) && readdirSync(join(home, `slots-${worker}`)).includes(name) && isAlive(name)) {
          count('overlaps', `${own} and ${name} both hold ${worker}`);
        } else removeIfThere(slot(worker, name), name);
      }
    },
    leave: (worker) => unlinkSync(slot(worker, own)),
  };
};

const isAlive = (name: string): boolean => {
  const [pid = '', ticks] = name.split('-');
  return startTicks(Number(pid)) === ticks;
};

/** Any process removes the slots of dead processes. */
const removeIfThere = (path: string, name: string): void => {
  if (isAlive(name)) return;
  try {
    unlinkSync(path);
  } catch {
    // Another process removed it.
  }
};

/** The start token of a running process; null if it is gone or a zombie. */
export const startTicks = (pid: number): string | null => {
  try {
    const stat = parseProcStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return stat === null || isDeadStat(stat) ? null : stat.startTicks;
  } catch {
    return null;
  }
};
