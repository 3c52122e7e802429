// Builds dist/ in steps, each a file of this folder. Everything is made in another directory that takes the place of dist/
// at once: a build that fails leaves the last one.
import { renameSync, rmSync } from 'node:fs';
import makeValidators from '../make-validators.mjs';
import { bundleProgram } from './bundle-program.mjs';
import { compileLibrary } from './compile-library.mjs';
import { keepCode } from './keep-code.mjs';
import { keepHelp } from './keep-help.mjs';

const STAGE = 'dist.new';

makeValidators();
rmSync(STAGE, { recursive: true, force: true });
compileLibrary(STAGE);
await bundleProgram(`${STAGE}/bin`);
await keepHelp(STAGE);
rmSync('dist', { recursive: true, force: true });
renameSync(STAGE, 'dist');
keepCode('dist/bin');
