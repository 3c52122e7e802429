// `npm test`: everything a change has to pass, each step failing in its own words; the tests come last, so that the
// last line is theirs.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const node = process.execPath;

/** Runs one step and leaves with its name and output where it fails. */
const step = (name, command, args) => {
  const started = Date.now();
  const { status, stdout, stderr } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) fail(name, `${stdout}${stderr}`);
  done(name, started);
};

const done = (name, started) =>
  console.log(`ok    ${name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);

const fail = (name, output) => {
  console.error(output.trimEnd());
  console.error(`FAILED ${name}`);
  process.exit(1);
};

/** The package as npm would publish it: every entry resolves, with types, from every module system that can use it. */
const checkPublishedPackage = async () => {
  const name = 'package (publint, are the types wrong)';
  const started = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'lock-doctor-pack-'));
  try {
    const [{ filename }] = JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
    const tarball = readFileSync(join(folder, filename));
    const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
    execFileSync('tar', ['-xzf', join(folder, filename), '-C', folder]);
    const { messages } = await publint({ pkgDir: join(folder, 'package'), strict: true, pack: false });
    // The program is CommonJS by the package.json beside it; its `import()` of the libraries misleads the linter.
    const mistakes = messages.filter(
      ({ code, path }) => !(code === 'FILE_INVALID_FORMAT' && path[0] === 'bin'),
    );
    if (mistakes.length > 0)
      fail(name, mistakes.map((message) => formatMessage(message, manifest, { color: false })).join('\n'));
    const { problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
    // An ES module package cannot be required by Node releases before ours; everything else is a mistake.
    const real = problems.filter(
      ({ kind, resolutionKind }) => kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10',
    );
    if (real.length > 0) fail(name, JSON.stringify(real, null, 2));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  done(name, started);
};

step('types (tsc)', node, ['node_modules/typescript/bin/tsc', '--noEmit']);
step('style (biome)', node, ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.']);
step('man page up to date', node, ['scripts/make-man.mjs', '--check']);
await checkPublishedPackage();
// One file at a time: the tests start processes and tmux servers of this user, which the doctors of others would see.
const { status } = spawnSync(
  node,
  [
    '--experimental-vm-modules',
    '--no-warnings',
    'node_modules/jest/bin/jest.js',
    '--maxWorkers=1',
    ...process.argv.slice(2),
  ],
  { stdio: 'inherit' },
);
process.exitCode = status ?? 1;
