/** Checks a plug-in's kind of lock, and guards its reader against the author's mistakes. */
import { messageOf } from '../core/failure.ts';
import { isPossiblePid } from '../core/pid.ts';
import type { Claim } from '../core/types/claim.ts';
import type { LockContent, Witness } from '../core/types/evidence.ts';
import type { Kind, LockFileName, Where } from '../core/types/kind.ts';
import { isListOf, isText } from '../core/unchecked.ts';

const WITNESSES: readonly unknown[] = [
  'process',
  'session',
  'agents',
  'open-file',
  'flock',
  'git',
] satisfies Witness[];

/** True for an export that is meant as a kind: it has `read` where a check has `run`. */
export const isMeantAsKind = (candidate: Record<string, unknown>): boolean =>
  !('run' in candidate) && ('read' in candidate || 'where' in candidate);

/** The kind, or what is wrong with it as a sentence fragment. Its id has been looked at before. */
export const readKind = (candidate: Record<string, unknown>): Kind | string => {
  const { id, title, summary, page, where, claims, witnesses, freshMs, read, letGo, livesIn } = candidate;
  if (typeof title !== 'string' || title.trim() === '') return 'requires a title';
  if (summary !== undefined && typeof summary !== 'string') return 'has a summary that is not text';
  if (page !== undefined && typeof page !== 'string') return 'has a page that is not text';
  if (claims !== null) return 'must have "claims": null: agents\' identities are built in';
  if (!isWhere(where)) return 'requires "where", as one of beside, inGitDir and files';
  if (!isListOf(witnesses, (each) => WITNESSES.includes(each)))
    return `requires "witnesses", a list out of ${WITNESSES.join(', ')}`;
  if (typeof freshMs !== 'number' || !(freshMs >= 0)) return 'requires "freshMs", milliseconds';
  if (letGo !== null && letGo !== 'move-aside') return 'requires "letGo", move-aside or null';
  if (livesIn !== undefined && typeof livesIn !== 'string') return 'has a "livesIn" that is not text';
  if (typeof read !== 'function') return 'requires a function "read"';
  return {
    id: String(id),
    title,
    summary: summary ?? title,
    ...(page === undefined ? {} : { page }),
    where,
    claims,
    witnesses: witnesses as readonly Witness[],
    freshMs,
    letGo,
    ...(livesIn === undefined ? {} : { livesIn }),
    read: guarded(String(id), read as NonNullable<Kind['read']>),
  };
};

/** Not `homes`: that is where agents' own locks lie. */
const isWhere = (where: unknown): where is Exclude<Where, { readonly homes: unknown }> => {
  if (typeof where !== 'object' || where === null) return false;
  const { beside, inGitDir, files, ...others } = where as Record<string, unknown>;
  const said = [beside, inGitDir, files].filter((part) => part !== undefined);
  if (said.length !== 1 || Object.keys(others).length > 0) return false;
  if (files !== undefined) return isListOf(files, isPath);
  return Object.values(said[0] ?? {}).every((names) => isListOf(names, isPath));
};

/** True for a relative path that does not lead outside. */
const isPath = (path: unknown): boolean =>
  isText(path) &&
  path !== '' &&
  !path.includes('\0') &&
  path.split('/').every((name) => name !== '' && !/^\.\.?$/.test(name));

/** Where it throws, or returns an unknown form, the lock counts as unread and is never released. */
const guarded =
  (id: string, read: NonNullable<Kind['read']>) =>
  (bytes: Uint8Array, file: LockFileName): LockContent => {
    try {
      const content: unknown = read(bytes, file);
      return isContent(content) ? content : { kind: 'unread', why: `kind ${id} answers in no known form` };
    } catch (error) {
      const why = messageOf(error);
      return { kind: 'unread', why: `kind ${id} could not read it: ${why}` };
    }
  };

const isContent = (content: unknown): content is LockContent => {
  if (typeof content !== 'object' || content === null) return false;
  const { kind, claim, problem, detail } = content as Record<string, unknown>;
  if (kind === 'invalid') return typeof problem === 'string' && typeof detail === 'string';
  return kind === 'claim' && typeof claim === 'object' && claim !== null && isClaim(claim as Claim);
};

const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string';

const isClaim = (claim: Claim): boolean => {
  switch (claim.by) {
    case 'number':
      return (
        isPossiblePid(claim.pid) &&
        isTextOrNull(claim.start) &&
        (claim.isStartNative === undefined || claim.isStartNative === true) &&
        typeof claim.hostname === 'string' &&
        isTextOrNull(claim.name) &&
        typeof claim.isShared === 'boolean' &&
        (claim.heldAtMostMs === undefined || Number.isFinite(claim.heldAtMostMs)) &&
        (claim.since === null ||
          (typeof claim.since === 'object' &&
            typeof claim.since.text === 'string' &&
            Number.isFinite(claim.since.ms)))
      );
    case 'person':
      return typeof claim.note === 'string';
    case 'mtime':
      return Number.isFinite(claim.refreshedWithinMs);
    case 'open-file':
    case 'flock':
      return true;
    default:
      return false;
  }
};
