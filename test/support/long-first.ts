import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

const WHOLE_BUILDS = dirname(dirname(fileURLToPath(import.meta.url)))

const isLong = ({ moduleId }: TestSpecification) =>
  dirname(moduleId) === WHOLE_BUILDS || readFileSync(moduleId, 'utf8').startsWith('// @module-tag slow')

/**
 * Starts the files of whole builds, and those tagged as slow, before all others: what takes long and begins last would run by
 * itself at the end. Vitest's own order goes by size where a file has not run before.
 */
export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
