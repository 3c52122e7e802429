/** The files of a part on this disk: which are there, and writing what is missing. Nothing that is there is ever lost. */
import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory, openOrMake } from '../../io/disk/make-files.ts';
import { readNamedFile } from '../../io/disk/named-file.ts';
import { type OpenDirectory, openOwned } from '../../io/disk/open-directory.ts';
import { systemCalls } from '../../io/disk/system-calls.ts';
import { errnoOf } from '../../io/errno.ts';
import { makeRunId } from '../../lock/files/names.ts';
import { writeAll } from '../../lock/files/staging.ts';
import { mergeHook } from './merge-hook.ts';
import type { PartFile } from './parts.ts';

/**
 * How a file stands: `there`: what it would say is said already; `renewable`: an earlier version of us wrote it there; `taken`: it
 * stays as it is, because of `why`.
 */
export type FileState =
  | { readonly kind: 'missing' | 'there' }
  | { readonly kind: 'addable' | 'renewable'; readonly before: string; readonly after: string }
  | { readonly kind: 'taken'; readonly why: string };

type Changeable = Extract<FileState, { readonly after: string }>;

/** Looks, and writes nothing. Throws what the system throws for a file that cannot be read. */
export const stateOf = ({ path, text, form }: PartFile): FileState => {
  const entry = systemCalls.lstat(path);
  if (entry === undefined) return { kind: 'missing' };
  const found = readNamedFile(path).toString('utf8');
  if (form === 'whole') return found === text ? { kind: 'there' } : taken('something else is there');
  const added = form === 'line' ? withLine(found, text) : withHook(found);
  return 'after' in added && !entry.isFile() ? taken('it is not a regular file') : added;
};

const taken = (why: string): FileState => ({ kind: 'taken', why });

const withLine = (found: string, line: string): FileState =>
  hasLine(found, line.trim())
    ? { kind: 'there' }
    : {
        kind: 'addable',
        before: found,
        after: `${found}${found === '' || found.endsWith('\n') ? '' : '\n'}${line}`,
      };

const withHook = (found: string): FileState => {
  const merge = mergeHook(found);
  if (merge.kind === 'refused') return taken(merge.why);
  if (merge.kind === 'there') return merge;
  return { kind: merge.kind === 'renewed' ? 'renewable' : 'addable', before: found, after: merge.text };
};

/** With or without the slashes around it a line of .gitignore ignores the directory. */
const hasLine = (text: string, line: string): boolean =>
  text.split('\n').some((one) => bare(one) === bare(line));

const bare = (line: string): string => line.trim().replace(/^\/|\/$/g, '');

/**
 * Makes the file, and the directories on the way to it, or adds to it what is missing. Never through a symlink. Answers where
 * the file is kept as it was, or null. Throws what the system throws, and where something stands in the way.
 */
export const writePart = (file: PartFile, state: FileState): string | null => {
  const { path, text, form } = file;
  makeDirectories(dirname(path));
  const directory = openOwned(systemCalls, dirname(path));
  try {
    if ('after' in state && form === 'hook') return replace(directory, path, state);
    const added = 'after' in state ? state.after.slice(state.before.length) : text;
    append(directory, path, added, 'after' in state);
    return null;
  } finally {
    directory.close();
  }
};

const append = (directory: OpenDirectory, path: string, text: string, mayBeThere: boolean): void => {
  const { descriptor, isNew } = openOrMake(directory, path, constants.O_RDWR | constants.O_APPEND);
  try {
    if (!isNew && !mayBeThere) throw new Error(`${path} is there by now`);
    if (!isNew && !systemCalls.fstat(descriptor).isFile()) throw new Error(`${path} is not a regular file`);
    writeAll(directory.calls, descriptor, Buffer.from(text));
  } finally {
    directory.calls.close(descriptor);
  }
};

/** Replaces the file and keeps the old one beside it: a program that has it open loses nothing. */
const replace = (directory: OpenDirectory, path: string, { before, after }: Changeable): string => {
  const { calls } = directory;
  const id = makeRunId(Date.now());
  const [staged, kept] = [`${path}.new-${id}`, `${path}.before-${id}`];
  const old = calls.lstat(path);
  if (old?.isFile() !== true) throw new Error(`${path} is not a regular file`);
  if (Number(old.uid) !== directory.uid)
    throw new Error(`${path} belongs to another user than its directory`);
  const { descriptor } = openOrMake(directory, staged, constants.O_RDWR);
  try {
    try {
      writeAll(calls, descriptor, Buffer.from(after));
      calls.fchmod(descriptor, Number(old.mode) & 0o777);
      calls.fsync(descriptor);
    } finally {
      calls.close(descriptor);
    }
    if (readNamedFile(path).toString('utf8') !== before) throw new Error(`${path} has changed meanwhile`);
    calls.link(path, kept);
    calls.rename(staged, path);
    return kept;
  } catch (error) {
    if (calls.lstat(staged) !== undefined) calls.unlink(staged);
    throw error;
  }
};

const makeDirectories = (path: string): void => {
  if (systemCalls.lstat(path) !== undefined) return;
  makeDirectories(dirname(path));
  makeDirectory(systemCalls, path);
};

/** True where the directory is the top of a git repository, or of a working tree. */
export const isRepositoryTop = (root: string): boolean => {
  try {
    return systemCalls.lstat(`${root}/.git`) !== undefined;
  } catch (error) {
    if (errnoOf(error) === 'EACCES') return false;
    throw error;
  }
};
