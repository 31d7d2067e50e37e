import { defineConfig } from 'vitest/config'

/** `npm run test:readers`, which makes the Python environments first. */
export default defineConfig({
  test: {
    include: ['test/readers/**/*.test.ts', 'packages/filter/test/export-openclip.test.ts'],
    globalSetup: ['test/readers/build-datasets.ts'],
    maxWorkers: 2,
    // As in vitest.config.ts; nothing is left out here.
    tags: [{ name: 'slow' }],
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // A test that checked nothing did not run.
    expect: { requireAssertions: true },
    setupFiles: ['test/support/fuzz-seed.ts'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
  },
})
