import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'packages/*/test/**/*.test.ts',
      'examples/*/**/*.test.ts',
      'test/**/*.test.ts',
    ],
    // They need Python packages: `npm run test:readers`.
    exclude: ['test/readers/**', '**/node_modules/**'],
    // Two forks: the tests use both cores through real services, and more of them only makes each slower.
    maxWorkers: 2,
    // For tests that load onnxruntime themselves; the shipped code sets it too.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // A test that checked nothing did not run.
    expect: { requireAssertions: true },
    setupFiles: ['test/support/fuzz-seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
