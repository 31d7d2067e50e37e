import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { isSlow } from './slow.ts'

/**
 * Starts the files tagged as slow before all others: what takes long and begins last would run by itself at the end. Vitest's
 * own order goes by size where a file has not run before.
 */
export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => isSlow(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
