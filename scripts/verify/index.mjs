// `npm test`: everything that a change must pass, in parallel where possible. A failing step prints its own output; the last line
// counts the tests.
import { runSteps } from './steps.mjs';
import { runTests } from './tests.mjs';

const CHECKS = {
  'types (tsc)': ['node_modules/typescript/bin/tsc', '--noEmit'],
  'style (biome)': ['node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'],
  'man page up to date': ['scripts/make-man.mjs', '--check'],
  'package (publint, are the types wrong)': ['scripts/verify/package.mjs'],
};

const isFine = await runSteps(CHECKS);
process.exitCode = isFine ? await runTests(process.argv.slice(2)) : 1;
