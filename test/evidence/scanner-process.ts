import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { onCleanUp } from '../support/index.ts';

/** The scanner as a script of its own: prints a `ScannerOutput` for `ROOT MODE`. */
const SCRIPT = `
  import { scanTown } from './src/evidence/scan.ts';
  const [root, mode] = process.argv.slice(2);
  const { locks, directories, gaps } = scanTown({ root, mode });
  const paths = locks.map(({ path }) => Buffer.from(path).toString('base64'));
  process.stdout.write(JSON.stringify({ paths, directories, gaps }));
`;

export interface ScannerOutput {
  /** In base64. */
  readonly paths: readonly string[];
  readonly directories: number;
  readonly gaps: readonly { readonly what: string; readonly why: string }[];
}

/** Bundles the scanner into a temporary file that any user may run with node, and returns its path. */
export function bundleScanner(): string {
  const directory = mkdtempSync(join(tmpdir(), 'scanner-'));
  onCleanUp(() => rmSync(directory, { recursive: true, force: true }));
  chmodSync(directory, 0o755);
  const outfile = join(directory, 'scan.mjs');
  buildSync({
    stdin: { contents: SCRIPT, resolveDir: process.cwd(), loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile,
    logLevel: 'silent',
  });
  return outfile;
}

/** Runs a scan in a process of its own, as another user where `identity` says so. */
export function scanInProcess(
  root: string,
  mode: 'default' | 'deep' | 'quick',
  identity: { readonly uid?: number; readonly gid?: number } = {},
): ScannerOutput {
  const output = execFileSync(process.execPath, [bundleScanner(), root, mode], { cwd: '/', ...identity });
  return JSON.parse(output.toString());
}
