import { defineConfig } from 'vitest/config'

/**
 * What Stryker runs against each mutant: the pool under virtual time alone, so that no server has to start. Without
 * the random walk, which takes so long that on a busy machine a mutant would be taken for one that hangs.
 */
export default defineConfig({
  test: {
    include: ['test/pooling/**/*.test.ts'],
    exclude: ['test/pooling/random-walk.test.ts'],
    isolate: false,
  },
})
