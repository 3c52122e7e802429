/** Tests run the TypeScript sources through swc (no type check: `npm run types` does that) as real ES modules. */
export default {
  globalSetup: './scripts/make-validators.mjs',
  testEnvironment: 'node',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  setupFilesAfterEnv: ['<rootDir>/test/support/retries.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2023' },
        module: { type: 'es6' },
        sourceMaps: 'inline',
      },
    ],
  },
  modulePathIgnorePatterns: ['<rootDir>/dist', '<rootDir>/fixtures'],
  // A deadline for what hangs; a machine that does much else takes a minute for what is done in a second on an idle one.
  testTimeout: 120_000,
};
