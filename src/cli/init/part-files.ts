/** The files of a part on this disk: which are there, and writing those that are not. Nothing is ever written over. */
import { Buffer } from 'node:buffer';
import { constants } from 'node:fs';
import { dirname } from 'node:path';
import { makeDirectory, openOrMake } from '../../io/disk/make-files.ts';
import { readNamedFile } from '../../io/disk/named-file.ts';
import { openOwned } from '../../io/disk/open-directory.ts';
import { systemCalls } from '../../io/disk/system-calls.ts';
import { errnoOf } from '../../io/errno.ts';
import type { PartFile } from './parts.ts';

/** A file to which a line is added is no larger. */
const MAX_BYTES = 1024 * 1024;

/** `there`: what it would say is said already; `taken`: something else stands at its place, which is left as it is. */
export type FileState = 'missing' | 'there' | 'taken';

/** Looks, and writes nothing. Throws what the system throws for a file that cannot be read. */
export const stateOf = ({ path, text, isLine }: PartFile): FileState => {
  if (systemCalls.lstat(path) === undefined) return 'missing';
  const found = readNamedFile(path, MAX_BYTES).toString('utf8');
  if (isLine) return hasLine(found, text.trim()) ? 'there' : 'missing';
  return found === text ? 'there' : 'taken';
};

/** With or without the slashes around it a line of .gitignore ignores the directory. */
const hasLine = (text: string, line: string): boolean =>
  text.split('\n').some((one) => bare(one) === bare(line));

const bare = (line: string): string => line.trim().replace(/^\/|\/$/g, '');

/**
 * Makes the file, and the directories on the way to it, or adds the line to it. Never through a symlink, never over what is
 * there. Throws what the system throws, and where something stands in the way.
 */
export const writePart = ({ path, text, isLine }: PartFile): void => {
  makeDirectories(dirname(path));
  const directory = openOwned(systemCalls, dirname(path));
  try {
    const flags = constants.O_RDWR | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const { descriptor, isNew } = openOrMake(directory, path, flags);
    try {
      if (!isNew && !isLine) throw new Error(`${path} is there by now`);
      if (!isNew && !systemCalls.fstat(descriptor).isFile()) throw new Error(`${path} is not a regular file`);
      const added = isNew || endsLine(path) ? text : `\n${text}`;
      const bytes = Buffer.from(added);
      if (directory.calls.write(descriptor, bytes) !== bytes.length)
        throw new Error(`the disk did not take all of ${path}`);
    } finally {
      directory.calls.close(descriptor);
    }
  } finally {
    directory.close();
  }
};

const makeDirectories = (path: string): void => {
  if (systemCalls.lstat(path) !== undefined) return;
  makeDirectories(dirname(path));
  makeDirectory(systemCalls, path);
};

const endsLine = (path: string): boolean => {
  const text = readNamedFile(path, MAX_BYTES).toString('utf8');
  return text === '' || text.endsWith('\n');
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
