/** The lock that keeps `git worktree remove` and `prune` from a working tree, as agents' tools take it. */
import { type Claim, defineKind, isPossiblePid, textOf } from '../src/kind.ts';

/**
 * Claude's text ends with the process, in newer versions with its start as well: `(pid 4242 start 18273645)`. Only the whole text
 * of a known tool names a holder: a person may write `mine (pid 4242)`, or add `do not touch` to what a tool wrote, and the end of
 * that process would prove nothing.
 */
const IN_BRACKETS =
  /^(claude (?:agent \S+|session (?:(?!\(pid ).)+?)) \(pid ([1-9]\d{0,9})(?: start ([^()]+))?\)(?: start (.+))?$/;
/** A start: a number, or a date in the form of ctime(3), in the words of any language. */
const isStart = (text: string): boolean =>
  // Made where it is needed: a table of all letters takes a tenth of a millisecond.
  /^(?:\d{1,20}|[\p{L}\d. ]{1,24} \d\d:\d\d:\d\d \d{4})$/u.test(text);

/** `openclaw pid=4242`, `flow-claim issue=7 pid=4242 session=… host=build-1 ts=2026-08-11T07:00:00Z`. */
const IN_FIELDS = /^(openclaw|flow-claim)((?: +[A-Za-z_]+=\S*)+)$/;
const FIELD = /([A-Za-z_]+)=(\S*)/g;

const claimOf = (bytes: Uint8Array): Claim => {
  const note = textOf(bytes);
  // No tool writes a second line, nor more than the note has room for.
  const isWhole = new TextDecoder().decode(bytes).trim().replace(/ +/g, ' ') === note;
  return (isWhole ? (inBrackets(note) ?? inFields(note)) : null) ?? { by: 'person', note };
};

const inBrackets = (text: string): Claim | null => {
  const [, name, pid, inside, after] = IN_BRACKETS.exec(text) ?? [];
  if (name === undefined || !isPossiblePid(Number(pid))) return null;
  const start = inside ?? after ?? null;
  if ((start !== null && !isStart(start)) || (inside !== undefined && after !== undefined)) return null;
  const startIs = start === null ? {} : { start, isStartNative: true as const };
  return {
    by: 'number',
    pid: Number(pid),
    start,
    hostname: '',
    since: null,
    name,
    isShared: true,
    ...startIs,
  };
};

const inFields = (text: string): Claim | null => {
  const [, tool, rest = ''] = IN_FIELDS.exec(text) ?? [];
  if (tool === undefined) return null;
  const said = [...rest.matchAll(FIELD)].map(
    ([, key = '', value = '']) => [key.toLowerCase(), value] as const,
  );
  const fields = new Map(said);
  const number = fields.get('pid') ?? '';
  // Of two numbers nobody knows which one is meant, nor of two hosts.
  if (fields.size < said.length || !/^[1-9]\d{0,9}$/.test(number) || !isPossiblePid(Number(number)))
    return null;
  const written = fields.get('ts') ?? '';
  const ms = Date.parse(written);
  return {
    by: 'number',
    pid: Number(number),
    start: fields.get('start') || null,
    hostname: fields.get('host') ?? '',
    since: Number.isNaN(ms) ? null : { text: written, ms },
    name: tool,
    isShared: true,
  };
};

export default defineKind({
  id: 'git-worktree',
  title: 'Worktree locks',
  summary: 'The lock of a git worktree, which keeps git from removing it.',
  where: { inGitDir: { linked: ['locked'] } },
  claims: null,
  witnesses: ['process', 'agents', 'git'],
  freshMs: 60_000,
  read: (bytes) => ({ kind: 'claim', claim: claimOf(bytes) }),
  letGo: 'move-aside',
});
