import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['rockpool-source'] },
  ssr: { resolve: { conditions: ['rockpool-source'] } },
  test: {
    include: ['test/**/*.test.ts', 'apps/*/test/**/*.test.ts', 'bench/test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
  },
})
