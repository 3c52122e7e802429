// Checks the package as npm would publish it: it contains the program but no cached code, and every entry resolves, with types, in
// every module system that can use it.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { packInto } from './pack.mjs';

const folder = mkdtempSync(join(tmpdir(), 'lock-doctor-pack-'));

const mistakesOfManifest = async (pkgDir) => {
  const manifest = JSON.parse(readFileSync(join(pkgDir, 'package.json'), 'utf8'));
  const { messages } = await publint({ pkgDir, strict: true, pack: false });
  // The program is CommonJS by the package.json beside it, but its `import()` of plug-ins misleads the linter.
  return messages
    .filter(({ code, path }) => !(code === 'FILE_INVALID_FORMAT' && path[0] === 'bin'))
    .map((message) => formatMessage(message, manifest, { color: false }));
};

const mistakesOfTypes = async (tarball) => {
  const { problems } = await checkPackage(createPackageFromTarballData(new Uint8Array(tarball)));
  // Node releases before ours cannot require an ES module package; everything else is a mistake.
  return problems
    .filter(({ kind, resolutionKind }) => kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10')
    .map((problem) => JSON.stringify(problem, null, 2));
};

try {
  const { path, files } = packInto(folder);
  execFileSync('tar', ['-xzf', path, '-C', folder]);
  const mistakes = [
    ...(files.includes('dist/bin/doctor.js') ? [] : ['the package has no dist/bin/doctor.js']),
    ...files
      .filter((file) => file.includes('.cache'))
      .map((file) => `${file} is for one release of Node only`),
    ...(await mistakesOfManifest(join(folder, 'package'))),
    ...(await mistakesOfTypes(readFileSync(path))),
  ];
  for (const mistake of mistakes) console.error(mistake);
  process.exitCode = mistakes.length === 0 ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
