// Builds dist/ in steps, each a file of this folder. Everything is written to another directory that then replaces dist/, so
// that a failed build leaves the last one in place.
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
// A program that still runs may be keeping its code there.
rmSync('dist', { recursive: true, force: true, maxRetries: 3 });
renameSync(STAGE, 'dist');
keepCode('dist/bin');
