/** Working directories as macOS's `lsof` tells them. */
import type { Observed } from '../../../core/types/evidence.ts';
import { complaintOf, runCommand } from '../../../io/programs/command.ts';
import { findSystemProgram } from '../../../io/programs/find-program.ts';

const TIMEOUT_MS = 5000;

/** Asks for all of them at once. Never throws. */
export const askLsof = async (pids: readonly number[]): Promise<ReadonlyMap<number, Observed<string>>> => {
  if (pids.length === 0) return new Map();
  const args = ['-a', '-d', 'cwd', '-F', 'pn', '-p', pids.join(',')];
  const { PATH } = process.env;
  // lsof escapes what its locale cannot print.
  const options = { timeoutMs: TIMEOUT_MS, env: { PATH, LC_ALL: 'en_US.UTF-8' } };
  const result = await runCommand(findSystemProgram('lsof', { PATH }), args, options);
  // lsof ends with 1 as soon as one of the processes is gone, and still answers for the others.
  const answered = result.status === 'ok' || result.status === 'failed';
  const told = answered ? parseLsof(result.stdout) : new Map<number, Observed<string>>();
  const why = answered ? 'lsof shows none' : `lsof ${complaintOf(result)}`;
  return new Map(pids.map((pid) => [pid, told.get(pid) ?? { seen: false, why }]));
};

/** Parses `lsof -F pn`: `p<pid>`, then `fcwd` and `n<path>`. A path that lsof could not read is left out. */
export const parseLsof = (answer: Buffer): ReadonlyMap<number, Observed<string>> => {
  const paths = new Map<number, Observed<string>>();
  let pid = 0;
  for (const line of answer.toString('latin1').split('\n')) {
    if (line.startsWith('p')) pid = Number(line.slice(1));
    if (line.startsWith('n/') && !/ \((readlink|stat|lstat): .*\)$/.test(line))
      paths.set(pid, readPath(line.slice(1)));
  }
  return paths;
};

const LETTERS: Readonly<Record<string, string>> = { '\\': '\\', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/**
 * Undoes the escapes of lsof's `safestrprt` (misc.c): `\\`, `\n` and the like, `\xc3`, and `^A` for control characters. A `^` in
 * the path itself looks the same, so such a path is unknown; so is one that is not UTF-8.
 */
const readPath = (text: string): Observed<string> => {
  const bytes = text.replaceAll(/\\(?:x([0-9a-f]{2})|([\\bfnrt]))/g, (_, hex?: string, letter = '') =>
    hex === undefined ? (LETTERS[letter] ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
  const isCertain =
    !/\^[@-_?]/.test(text) && !/\\(?![\\bfnrt]|x[0-9a-f]{2})/.test(text.replaceAll('\\\\', ''));
  const value = Buffer.from(bytes, 'latin1').toString('utf8');
  return isCertain && !value.includes('\uFFFD')
    ? { seen: true, value }
    : { seen: false, why: 'lsof shows characters in its path that doctor cannot tell apart' };
};
