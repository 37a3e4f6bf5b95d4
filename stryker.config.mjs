// Mutation testing of the pool's policy, `npm run mutate`: what a change of src/pooling no test notices.

/** @type {import('@stryker-mutator/api/core').PartialStrykerOptions} */
export default {
  mutate: ['src/pooling/**/*.ts'],
  plugins: ['@stryker-mutator/vitest-runner'],
  testRunner: 'vitest',
  vitest: { configFile: 'test/pooling/vitest.mutation.config.ts', related: false },
  coverageAnalysis: 'perTest',
  concurrency: 3,
  timeoutMS: 10_000,
  // Nothing else is copied; without a tsconfig.json in its copy Stryker does not ask TypeScript 7 for an API that it lacks.
  ignorePatterns: ['**', '!src/**', '!test/pooling/**', '!package.json'],
  tempDirName: '.rockpool/mutation/sandbox',
  // For `npm run mutate -- --incremental`, which is quick but keeps what it found of mutants that run once at the start.
  incrementalFile: '.rockpool/mutation/incremental.json',
  reporters: ['clear-text', 'json', 'html'],
  jsonReporter: { fileName: '.rockpool/mutation/report.json' },
  htmlReporter: { fileName: '.rockpool/mutation/report.html' },
  clearTextReporter: { reportTests: false, allowColor: false },
  thresholds: { high: 95, low: 90, break: 90 },
}
