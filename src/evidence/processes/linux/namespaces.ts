/** Identifies the namespaces of a process on Linux, and finds paths into them (namespaces(7), proc(5)). */
import { bytesAsText } from '../../../io/disk/bytes-as-text.ts';
import { readingCalls, readSmallFile } from '../../../io/disk/small-file.ts';
import type { ProcessDetails } from '../row.ts';
import { readNamespace, readProc } from './proc-files.ts';

/** Host names have at most 64 bytes on Linux; the file may also have comments. */
const MAX_HOSTNAME_BYTES = 4096;

type NamespaceDetails = Pick<
  ProcessDetails,
  | 'doorToRoot'
  | 'numbers'
  | 'pidNamespace'
  | 'containerNames'
  | 'mountNamespace'
  | 'mountInfo'
  | 'sharesOurPaths'
>;

/**
 * None of them throws.
 *
 * @param directory of a process below /proc
 */
export const namespaceDetails = (directory: (pid: number) => string): NamespaceDetails => {
  const mountsOf = (pid: number): string | null => readNamespace(`${directory(pid)}/ns/mnt`);
  const ourMounts = mountsOf(process.pid);
  return {
    doorToRoot: (pid) => `${directory(pid)}/root`,
    numbers: (pid) => {
      const read = readProc(`${directory(pid)}/status`);
      const line = 'error' in read ? null : /^NSpid:\s+([\d\s]*?)$/m.exec(read.bytes.toString('latin1'));
      return line?.[1]?.split(/\s+/).map(Number) ?? [];
    },
    pidNamespace: (pid) => readNamespace(`${directory(pid)}/ns/pid`),
    containerNames: (pid) => {
      const file = readSmallFile(readingCalls, `${directory(pid)}/root/etc/hostname`, MAX_HOSTNAME_BYTES);
      const hostname = file.kind === 'file' ? bytesAsText(file.bytes).trim() : '';
      const groups = readProc(`${directory(pid)}/cgroup`);
      const id = 'error' in groups ? null : /[0-9a-f]{64}/.exec(groups.bytes.toString('latin1'));
      return { hostname: hostname === '' ? null : hostname, id: id?.[0] ?? null };
    },
    mountNamespace: mountsOf,
    mountInfo: (pid) => {
      const read = readProc(`${directory(pid)}/mountinfo`);
      return 'error' in read ? '' : bytesAsText(read.bytes);
    },
    sharesOurPaths: (pid) => ourMounts !== null && mountsOf(pid) === ourMounts,
  };
};
