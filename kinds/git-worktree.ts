import { type Claim, defineKind, textOf } from '../src/kind.ts';

/**
 * Claude's text ends with the process, in newer versions with its start as well: `(pid 4242 start 18273645)`. Only texts of known
 * tools name a holder: a person may write `mine (pid 4242)`, and the end of that process would prove nothing.
 */
const IN_BRACKETS =
  /^(claude (?:agent|session) .+?) \(pid ([1-9]\d{0,9})(?: start ([^()]+?))?\)(?: start (.+))?$/;
/** `openclaw pid=4242`, `flow-claim issue=7 pid=4242 session=… host=build-1 ts=2026-08-11T07:00:00Z`. */
const IN_FIELDS = /^(openclaw|flow-claim)\s(?:.*\s)?pid=([1-9]\d{0,9})(?=\s|$)/;
const FIELD = /(?:^|\s)([a-z]+)=(\S+)/g;

const claimOf = (text: string): Claim => {
  const [, name, pid, inside, after] = IN_BRACKETS.exec(text) ?? [];
  if (name !== undefined)
    return {
      by: 'number',
      pid: Number(pid),
      start: inside ?? after ?? null,
      hostname: '',
      since: null,
      name,
      isShared: true,
    };
  const [, tool, number] = IN_FIELDS.exec(text) ?? [];
  if (tool === undefined) return { by: 'person', note: text };
  const said = [...text.matchAll(FIELD)].map(([, key = '', value = '']) => [key, value] as const);
  const fields = new Map(said);
  // Of two numbers nobody knows which one is meant, nor of two hosts.
  if (fields.size < said.length) return { by: 'person', note: text };
  const written = fields.get('ts') ?? '';
  const ms = Date.parse(written);
  return {
    by: 'number',
    pid: Number(number),
    start: fields.get('start') ?? null,
    hostname: fields.get('host') ?? '',
    since: Number.isNaN(ms) ? null : { text: written, ms },
    name: tool,
    isShared: true,
  };
};

/** The lock that keeps `git worktree remove` and `prune` from a working tree, as agents' tools take it. */
export default defineKind({
  id: 'git-worktree',
  title: 'Worktree locks',
  summary: 'The lock of a git worktree, which keeps git from removing it.',
  where: { inGitDir: { linked: ['locked'] } },
  claims: null,
  witnesses: ['process', 'agents', 'git'],
  freshMs: 60_000,
  read: (bytes) => ({ kind: 'claim', claim: claimOf(textOf(bytes)) }),
  letGo: 'move-aside',
});
