// The library, with its types: tsc translates src/ and checks/ file by file.
import { execFileSync } from 'node:child_process';

/** Throws where the sources do not compile; tsc has said why. */
export const compileLibrary = (directory) => {
  const words = ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--outDir', directory];
  execFileSync(process.execPath, words, { stdio: 'inherit' });
};
