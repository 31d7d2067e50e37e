import { defineConfig } from 'vitest/config'
import LongFirst from './test/support/long-first.ts'

/** Packages whose code, and whose tests, keep no state of the process: their files share workers, which saves half a second a file. */
const STATELESS = ['packages/{benchmark,captioner,core,dataset,filter,http,local-earth-engine,pipeline}/**/*.test.ts']
const ALL = [
  'packages/*/src/**/*.test.ts',
  'packages/*/test/**/*.test.ts',
  'examples/*/**/*.test.ts',
  'test/**/*.test.ts',
]
// The readers need Python packages: `npm run test:readers`.
const NONE = ['test/readers/**', '**/node_modules/**']

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'stateless', include: STATELESS, exclude: NONE, isolate: false } },
      { extends: true, test: { name: 'isolated', include: ALL, exclude: [...NONE, ...STATELESS] } },
    ],
    // One fork more than the two cores that the tests have at least: many wait, for a pause, a lock or a process, while
    // others compute.
    maxWorkers: 3,
    sequence: { sequencer: LongFirst },
    tags: [
      { name: 'slow', description: 'takes more than 3 seconds of processor time; `npm run test:quick` leaves it out' },
    ],
    // For tests that load onnxruntime themselves; the shipped code sets it too.
    env: { ORT_DISABLE_TELEMETRY: '1' },
    // A test that checked nothing did not run.
    expect: { requireAssertions: true },
    setupFiles: ['test/support/fuzz-seed.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
