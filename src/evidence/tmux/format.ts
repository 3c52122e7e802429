/** The command that asks tmux for everything at once, and the reading of its answer. Pure. */
import { Buffer } from 'node:buffer';
import { isDigits } from '../../core/digits.ts';
import type { GasTownEnvironment } from '../../core/types/evidence.ts';
import { bytesAsText } from '../../io/disk/bytes-as-text.ts';
import { GAS_TOWN_VARIABLES, gasTownVariables, gasTownVariablesIn } from './gas-town-variables.ts';

/** A pane as the server described it. */
export interface PaneRecord {
  readonly sessionId: string;
  readonly windowId: string;
  readonly paneId: string;
  /** 0 where the pane has no process. */
  readonly pid: number;
  readonly dead: boolean;
  readonly sessionCreatedMs: number;
  readonly sessionName: string;
  readonly sessionGroup: string | null;
  /** The session's variables or the server's: tmux does not say which. */
  readonly environment: GasTownEnvironment;
  readonly command: string;
  readonly path: string | null;
}

export interface ServerRecord {
  readonly pid: number;
  readonly startedAtMs: number;
  readonly version: string;
  readonly sessions: number;
  readonly panes: readonly PaneRecord[];
  /** The server's global environment, which also appears in sessions that set nothing themselves. */
  readonly globals: GasTownEnvironment;
}

const PANE_IDS = ['session_id', 'window_id', 'pane_id', 'pane_pid', 'pane_dead', 'session_created'];

const PANE_TEXTS = [
  'session_name',
  'session_group',
  ...GAS_TOWN_VARIABLES,
  'pane_current_command',
  'pane_current_path',
];

/**
 * What ends a field of a record. `QUOTED`: a bare space, because `#{q:…}` puts a backslash before spaces inside a text. Any
 * other text is a second mark. Up to 2.8, tmux expands the unknown `#{q:…}` to nothing; since 3.4 it prints control characters
 * as escapes, which can be recognized only in quoted texts.
 */
export type FieldEnd = string;

export const QUOTED: FieldEnd = ' ';

/**
 * One client call for everything: the server, its sessions, its panes, its global environment. Each record begins and ends
 * with the mark, which cannot be guessed, because names and paths may contain line breaks. The mark `Z` shows that no record
 * is missing. There is no `-t`, because for a missing target tmux answers with empty text.
 */
export const overviewCommand = (mark: string, end: FieldEnd = QUOTED): readonly string[] => {
  const record = (kind: string, fields: readonly string[]): string =>
    `${mark}${[kind, ...fields].join(end)}${mark}.`;
  const text = end === QUOTED ? 'q:' : '';
  const pane = [...PANE_IDS.map((name) => `#{${name}}`), ...PANE_TEXTS.map((name) => `#{${text}${name}}`)];
  return [
    ...['display-message', '-p', record('S', ['#{pid}', '#{start_time}', '#{version}']), ';'],
    ...['list-sessions', '-F', record('L', ['#{session_id}']), ';'],
    ...['list-panes', '-a', '-F', record('P', pane), ';'],
    ...['display-message', '-p', record('Z', []), ';'],
    ...['show-environment', '-g'],
  ];
};

/** A server without sessions ends the call at that point with this message. */
export const NO_SESSIONS = /^no current target$/m;

/** True for the answer of a tmux that is too old to quote (before 2.9), which has to be asked with a second mark. */
export const cannotQuote = (answer: Uint8Array, mark: string): boolean => {
  const [kind, , , version = ''] = splitRecords(answer, mark, QUOTED).records[0] ?? [];
  return kind === 'S' && isTooOldToQuote(version);
};

const isTooOldToQuote = (version: string): boolean => Number.parseFloat(version) < 2.9;

/** Reads the answer; null for anything that is not a complete answer, so that no pane is ever missing. */
export const parseOverview = (
  answer: Uint8Array,
  mark: string,
  complaint: string,
  end: FieldEnd = QUOTED,
): ServerRecord | null => {
  const { records, rest } = splitRecords(answer, mark, end);
  const [server, ...others] = records;
  if (records.some((record) => record.length === 0) || server === undefined) return null;
  const [kind, pid = '', started = '', version = ''] = server;
  if (kind !== 'S' || server.length !== 4 || !isNumber(pid) || !isNumber(started)) return null;
  if (end === QUOTED && isTooOldToQuote(version)) return null;
  const base = { pid: Number(pid), startedAtMs: Number(started) * 1000, version };
  if (others.length === 0)
    return NO_SESSIONS.test(complaint) && rest === ''
      ? { ...base, sessions: 0, panes: [], globals: {} }
      : null;
  if (others.at(-1)?.join() !== 'Z') return null;

  const sessions = others.filter((record) => record[0] === 'L').map(([, id]) => id ?? '');
  const panes = others.filter((record) => record[0] === 'P').map(parsePane);
  const understood = panes.filter((pane) => pane !== null);
  if (sessions.length + panes.length + 1 !== others.length || understood.length !== panes.length) return null;
  const shown = new Set(understood.map(({ sessionId }) => sessionId));
  if (shown.size !== sessions.length || !sessions.every((id) => shown.has(id))) return null;
  const globals = gasTownVariablesIn(rest.split('\n').filter(mayBeOurs).map(asText));
  return { ...base, sessions: sessions.length, panes: understood, globals };
};

/** One client call for the variables that single sessions set themselves. */
export const sessionEnvironmentCommand = (sessionIds: readonly string[], mark: string): readonly string[] =>
  sessionIds.flatMap((id, index) => [
    ...(index === 0 ? [] : [';']),
    ...['show-environment', '-t', id, ';', 'display-message', '-p', `${mark}${id}${mark}.`],
  ]);

/** Reads that answer, session id → what it sets; null where it is not exactly an answer about these sessions. */
export const parseSessionEnvironments = (
  answer: Uint8Array,
  sessionIds: readonly string[],
  mark: string,
): ReadonlyMap<string, GasTownEnvironment> | null => {
  const parts = Buffer.from(answer).toString('latin1').split(mark);
  if (parts.length !== 2 * sessionIds.length + 1 || parts.at(-1) !== '.\n') return null;
  const found = new Map<string, GasTownEnvironment>();
  for (const [index, id] of sessionIds.entries()) {
    if (parts[2 * index + 1] !== id) return null;
    const lines = (parts[2 * index] ?? '').replace(/^\.\n/, '').split('\n');
    found.set(id, gasTownVariablesIn(lines.filter(mayBeOurs).map(asText)));
  }
  return found;
};

/** An environment has a hundred variables, and six of them matter. */
const mayBeOurs = (assignment: string): boolean => assignment.startsWith('GT_');

/** The fields of each record, and what follows the last one. Anything that is not a record becomes a record without fields. */
const splitRecords = (
  answer: Uint8Array,
  mark: string,
  end: FieldEnd,
): { records: readonly (readonly string[])[]; rest: string } => {
  const parts = Buffer.from(answer).toString('latin1').split(mark);
  const records = parts.filter((_, index) => index % 2 === 1).map((body) => splitFields(body, end));
  const between = parts.filter((_, index) => index % 2 === 0);
  const last = between.pop() ?? '';
  const isWhole =
    parts.length % 2 === 1 &&
    between[0] === '' &&
    between.slice(1).every((text) => text === '.\n') &&
    last.startsWith('.\n');
  return isWhole ? { records, rest: last.slice(2) } : { records: [[]], rest: '' };
};

const parsePane = (fields: readonly string[]): PaneRecord | null => {
  const [, sessionId = '', windowId = '', paneId = '', pid = '', dead = '', created = '', ...texts] = fields;
  if (texts.length !== PANE_TEXTS.length) return null;
  const isPane =
    /^\$\d+$/.test(sessionId) &&
    /^@\d+$/.test(windowId) &&
    /^%\d+$/.test(paneId) &&
    /^-?\d*$/.test(pid) &&
    /^[01]?$/.test(dead) &&
    isNumber(created) &&
    // Every session has a name: an answer without one means that the question was not understood.
    texts[0] !== '';
  if (!isPane) return null;
  const text = (name: string): string => texts[PANE_TEXTS.indexOf(name)] ?? '';
  return {
    sessionId,
    windowId,
    paneId,
    pid: Math.max(0, Number(pid)),
    dead: dead === '1',
    sessionCreatedMs: Number(created) * 1000,
    sessionName: text('session_name'),
    sessionGroup: text('session_group') || null,
    environment: gasTownVariables(text),
    command: text('pane_current_command'),
    path: text('pane_current_path') || null,
  };
};

const isNumber = (text: string): boolean => text.length <= 15 && isDigits(text);

/** C escapes into which tmux 3.4 and later turn control characters, after it has quoted the rest. */
const CONTROLS: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  a: '\x07',
  v: '\v',
  f: '\f',
};

/** Splits at the ends of fields and removes the quoting. */
const splitFields = (body: string, end: FieldEnd): readonly string[] => {
  if (end !== QUOTED) return body.split(end).map(asText);
  const fields: string[] = [];
  let field = '';
  for (let at = 0; at < body.length; at += 1) {
    const character = body.charAt(at);
    if (character === ' ') {
      fields.push(field);
      field = '';
    } else if (character === '\\') {
      const octal = /^[0-3][0-7]{2}/.exec(body.slice(at + 1, at + 4))?.[0];
      const quoted = body.charAt(at + 1);
      field +=
        octal === undefined ? (CONTROLS[quoted] ?? quoted) : String.fromCharCode(Number.parseInt(octal, 8));
      at += octal?.length ?? 1;
    } else field += character;
  }
  return [...fields, field].map(asText);
};

/** Decodes a text whose bytes were kept as one character each. */
const asText = (latin1: string): string => bytesAsText(Buffer.from(latin1, 'latin1'));
