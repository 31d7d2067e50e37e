import { BaseSequencer, type TestSpecification } from 'vitest/node'
import { isSlow } from './slow.ts'

/**
 * Starts the files tagged as slow before all others, since a long file that starts last would run by itself at the end. Vitest
 * orders files that it has not run before by size.
 */
export default class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => isSlow(moduleId)
    const sorted = await super.sort(files)
    return [...sorted.filter(isLong), ...sorted.filter((file) => !isLong(file))]
  }
}
