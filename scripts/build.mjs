// Builds dist/: the library with its types by tsc, and the CLI bundled by esbuild
// (start-up is several times faster than loading yargs, listr2 and execa file by file).
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
rmSync('dist', { recursive: true, force: true });
execFileSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json'], {
  stdio: 'inherit',
});
await build({
  entryPoints: { doctor: 'src/cli/main.ts' },
  outdir: 'dist/bin',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  legalComments: 'none',
  define: { LOCK_DOCTOR_VERSION: JSON.stringify(version) },
  banner: {
    js: "#!/usr/bin/env node\nimport{createRequire as $cr}from'node:module';const require=$cr(import.meta.url);",
  },
  logLevel: 'warning',
});
chmodSync('dist/bin/doctor.js', 0o755);
