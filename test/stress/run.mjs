// Entry of `npm run stress`: bundles the harness (Node 20 does not run TypeScript) into a temporary directory and starts it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const out = mkdtempSync(join(tmpdir(), 'stress-code-'));
try {
  await build({
    entryPoints: [
      'stress.ts',
      'contender.ts',
      'swap.ts',
      'kinds.ts',
      'leases.ts',
      'beside-go.ts',
      'beside-go-contender.ts',
    ].map((name) => join(here, name)),
    outdir: out,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    banner: {
      js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
    },
    logLevel: 'error',
  });
  const given = process.argv.slice(2);
  const doctor = ['--doctor', join(here, '../../dist/bin/doctor.js')];
  const args = given.includes('--swap')
    ? [join(out, 'swap.mjs'), '--source', join(here, 'swap.c'), ...doctor]
    : given.includes('--lease')
      ? [join(out, 'leases.mjs'), '--command', join(here, 'lease-command.pl'), ...doctor]
      : given.includes('--kinds')
        ? [join(out, 'kinds.mjs'), ...doctor]
        : given.includes('--go')
          ? [join(out, 'beside-go.mjs'), '--source', join(here, 'go/main.go'), ...doctor]
          : [join(out, 'stress.mjs'), '--foreign-writer', join(here, 'foreign-writer.pl')];
  const { status } = spawnSync(process.execPath, [...args, ...given], { stdio: 'inherit' });
  process.exitCode = status ?? 1;
} finally {
  rmSync(out, { recursive: true, force: true });
}
