import type { Quota, Tags } from '@skyscript/core'
import type { GroupColumns } from '@skyscript/dataset'
import type { Groups } from '../groups.ts'

/** The class of an object by its tags; null for none. */
export type ClassOf = (tags: Tags) => string | null

/** Groups of pairs with the names that the settings call them by. */
export interface NamedGroups extends Groups {
  readonly names: readonly string[]
}

export interface GroupCollector {
  /** Takes the next row group's columns. */
  add(columns: GroupColumns): void
  end(): NamedGroups
}

/** What pairs can be balanced by: a file of this folder and an entry of the list in index.ts. */
export interface Grouping {
  readonly by: Quota['by']
  /** Columns of the manifest that it reads. */
  readonly columns: readonly string[]
  /**
   * @param rows number of pairs to expect
   * @param classOf null if no quota is by class
   */
  collect(rows: number, quota: Quota, classOf: ClassOf | null): GroupCollector
}
