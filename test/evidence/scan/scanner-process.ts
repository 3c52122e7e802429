import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { onCleanUp } from '../../support/index.ts';

/** The scanner as a script: prints a `ScannerOutput` for `ROOT MODE THREADS`. */
const SCRIPT = `
  import { scanTown } from './src/evidence/scan/scan.ts';
  const [root, mode, threads = '1'] = process.argv.slice(2);
  const { locks, directories, gaps } = await scanTown({ root, mode, threads: threads === 'auto' ? threads : Number(threads) });
  const paths = locks.map(({ path }) => Buffer.from(path).toString('base64')).sort();
  process.stdout.write(JSON.stringify({ paths, directories, gaps }));
`;

export interface ScannerOutput {
  /** In base64, sorted. */
  readonly paths: readonly string[];
  readonly directories: number;
  readonly gaps: readonly { readonly what: string; readonly why: string }[];
}

/**
 * Bundles the scanner as the program is bundled, with its helper thread beside it, into a temporary directory where any
 * user may run it with Node; returns the path of the script. `helper` replaces the script of the helper.
 */
export const bundleScanner = (helper?: string): string => {
  const outdir = mkdtempSync(join(tmpdir(), 'scanner-'));
  onCleanUp(() => rmSync(outdir, { recursive: true, force: true }));
  chmodSync(outdir, 0o755);
  writeFileSync(join(outdir, 'package.json'), '{"type":"module"}');
  const shared = { bundle: true, platform: 'node', format: 'esm', logLevel: 'silent' } as const;
  const stdin = { contents: SCRIPT, resolveDir: process.cwd(), loader: 'ts' } as const;
  buildSync({ ...shared, stdin, outfile: join(outdir, 'scan.js') });
  if (helper === undefined)
    buildSync({
      ...shared,
      entryPoints: ['src/evidence/scan/scan-thread.ts'],
      outfile: join(outdir, 'scan-thread.js'),
    });
  else writeFileSync(join(outdir, 'scan-thread.js'), helper);
  return join(outdir, 'scan.js');
};

/** Runs a scan in its own process, as another user if `identity` says so. */
export const scanInProcess = (
  root: string,
  mode: 'default' | 'deep' | 'quick',
  identity: { readonly uid?: number; readonly gid?: number } = {},
): ScannerOutput => {
  return runScanner(bundleScanner(), [root, mode], identity);
};

/** Runs a bundled scanner. */
export const runScanner = (
  script: string,
  args: readonly string[],
  identity: { readonly uid?: number; readonly gid?: number } = {},
): ScannerOutput => {
  const output = execFileSync(process.execPath, [script, ...args], { cwd: '/', ...identity });
  return JSON.parse(output.toString());
};
