// Compiles the library and its types with tsc, file by file.
import { execFileSync } from 'node:child_process';

/** Throws if the sources do not compile; tsc has printed why. */
export const compileLibrary = (directory) => {
  const args = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', directory];
  execFileSync(process.execPath, args, { stdio: 'inherit' });
};
