/** What the file of a git lock says beside its bytes: what it keeps git from, how far its git came, and whom git wrote down. Pure. */
import { relativeTo } from '../../town/roles.ts';
import type { TownIndex } from '../../town/views.ts';
import type { LockFile } from '../../types/evidence.ts';
import type { Fact } from '../../types/judgement.ts';
import type { WitnessFinding } from './file-witnesses.ts';

/** What git cannot do while it stands; of others: change the file of that name. */
const KEEPS_FROM: Readonly<Record<string, string>> = {
  'index.lock': 'adding and committing',
  'HEAD.lock': 'committing and switching branches',
  'config.lock': 'changing its configuration',
  'config.worktree.lock': 'changing its configuration',
  'packed-refs.lock': 'deleting and packing refs',
  'shallow.lock': 'fetching into this shallow clone',
  'gc.pid': 'collecting garbage',
  'objects/maintenance.lock': 'all automatic maintenance, for ever and without a word',
  'objects/schedule.lock': 'scheduling maintenance',
};

/** Nothing is ever written into them. */
const ALWAYS_EMPTY: readonly string[] = ['objects/maintenance.lock', 'objects/schedule.lock'];

/** In which it stands, and, where it is stale, how far whoever took it came. Nothing of a lock in no git directory. */
export const gitLockFacts = ({ gitDir, path, stamp, kind }: LockFile, isStale: boolean): readonly Fact[] => {
  const name = gitDir === undefined || kind === 'git-worktree' ? null : relativeTo(gitDir.path, path);
  if (name === null) return [];
  const from = KEEPS_FROM[name] ?? `changing ${name.replace(/\.lock$/, '')}`;
  const keeps = isStale ? 'was left behind, and keeps git from' : 'keeps git from';
  const facts: Fact[] = [{ source: 'lock', text: `${name} ${keeps} ${from}` }];
  if (!isStale || stamp === null || ALWAYS_EMPTY.includes(name)) return facts;
  const stage =
    stamp.size === 0
      ? 'it is empty: its git was stopped before it wrote anything'
      : `it has ${stamp.size} bytes: its git was stopped before it put them in place`;
  return [...facts, { source: 'lock', text: stage }];
};

/** A process that started this much later than the note was written is not the one that it names. */
const SLACK_MS = 10 * 60_000;

/**
 * The process that git wrote down beside its lock. A live one holds it, unless it is younger than the note. A dead one counts
 * only where the note is of this very lock, and never alone: git removes no lock by it either.
 */
export const judgeNote = ({ notedPid }: LockFile, { machine }: TownIndex): WitnessFinding | null => {
  if (notedPid === undefined) return null;
  const { pid, mtimeMs, isOfThisLock } = notedPid;
  const lookup = machine.lookups.get(pid);
  switch (lookup?.answer) {
    case 'exists': {
      const startedAtMs = lookup.process?.startedAtMs ?? null;
      if (startedAtMs !== null && startedAtMs > mtimeMs + SLACK_MS) return null;
      const command = lookup.process?.names[0] ?? 'command unknown';
      return witness('alive', 'process-alive', `git wrote down that process ${pid} (${command}) holds it`);
    }
    case 'absent':
    case 'zombie':
      return isOfThisLock === true
        ? witness('gone', 'process-gone', `git wrote down that process ${pid} holds it, which is gone`)
        : null;
    case 'thread':
      return null;
    default:
      return witness(
        'unknown',
        'process-unknown',
        `whether process ${pid} runs, which git wrote down, could not be told`,
      );
  }
};

const witness = (
  state: WitnessFinding['state'],
  reason: WitnessFinding['reason'],
  text: string,
): WitnessFinding => ({ state, reason, fact: { source: 'processes', text } });
