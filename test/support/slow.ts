import { globSync, readFileSync } from 'node:fs'

/** Whether a test file is tagged as one that takes more than 3 seconds of processor time. */
export const isSlow = (path: string): boolean => readFileSync(path, 'utf8').startsWith('// @module-tag slow')

/** Paths of the test files below a folder that are not slow. */
export const quickTests = (folder: string): string[] =>
  globSync('{packages,examples,test}/**/*.test.ts', {
    cwd: folder,
    exclude: (path) => /(?:^|\/)(?:node_modules|readers)$/.test(path),
  }).filter((path) => !isSlow(`${folder}/${path}`))
