/** Jest runs the TypeScript sources through swc to CommonJS; nothing is built beforehand. */
export default {
  testEnvironment: '<rootDir>/test/one-realm.cjs',
  runtime: '<rootDir>/test/native-packages.cjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'commonjs' } },
    ],
  },
  testSequencer: '<rootDir>/test/longest-first.cjs',
  testTimeout: 60_000,
  // Beside the packages it is made from; in the temporary folder it would outlive the project.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
};
