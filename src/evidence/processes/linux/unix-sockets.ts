/** Finds the Unix sockets on which a process listens, by `/proc/net/unix` and the process's descriptors (proc(5)). */
import { readdirSync, readlinkSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { bytesAsText } from '../../../io/disk/bytes-as-text.ts';
import { tryOr } from '../../../io/try-or.ts';
import { readProc, readProcLink } from './proc-files.ts';

/** __SO_ACCEPTCON: the socket listens. */
const LISTENING = 0x0001_0000;

/** A hundred bytes for each of 160,000 sockets: far beyond any machine that runs agents. */
const MAX_SOCKET_LIST_BYTES = 16 * 1024 * 1024;

/** Inode → path of the listening sockets in the text of `/proc/net/unix`; sockets without a path are left out. */
export const parseListeningSockets = (text: string): ReadonlyMap<string, string> => {
  const paths = new Map<string, string>();
  for (const line of text.split('\n').slice(1)) {
    // Num RefCount Protocol Flags Type St Inode Path: the path may contain spaces, `@` marks abstract names.
    const fields = /^\S+: \S+ \S+ (\S+) \S+ \S+ +(\d+) (.+)$/.exec(line);
    const [, flags = '', inode = '', path = ''] = fields ?? [];
    if (fields !== null && (Number.parseInt(flags, 16) & LISTENING) !== 0 && !path.startsWith('@'))
      paths.set(inode, path);
  }
  return paths;
};

/** Absolute paths of the sockets on which a process listens; empty where its descriptors may not be read. */
export const socketReader = (directory: (pid: number) => string): ((pid: number) => readonly string[]) => {
  return (pid) => {
    const read = readProc(`${directory(pid)}/net/unix`, MAX_SOCKET_LIST_BYTES);
    if ('error' in read) return [];
    const listening = parseListeningSockets(bytesAsText(read.bytes));
    const paths = new Set<string>();
    for (const inode of socketInodes(`${directory(pid)}/fd`)) {
      const path = listening.get(inode);
      if (path !== undefined) paths.add(path);
    }
    const cwd = readProcLink(`${directory(pid)}/cwd`);
    return [...paths].flatMap((path) => {
      if (isAbsolute(path)) return [path];
      return cwd.seen ? [join(cwd.value, path)] : [];
    });
  };
};

const socketInodes = (directory: string): readonly string[] =>
  tryOr(() => readdirSync(directory), []).flatMap((descriptor) => {
    const target = tryOr(() => readlinkSync(`${directory}/${descriptor}`), '');
    return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
  });
