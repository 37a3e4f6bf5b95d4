import { defineConfig } from 'vitest/config'

/** What Stryker runs against each mutant: the pool under virtual time alone, so that no server has to start. */
export default defineConfig({
  test: {
    include: ['test/pooling/**/*.test.ts'],
    isolate: false,
  },
})
