import { readFileSync } from 'node:fs'
import { BENCHMARK_SETS, type BenchmarkSet, once } from '@skyscript/core'
import { ownSetFolder } from '@skyscript/dataset/benchmarks'
import { type ClassTable, parseClassTable } from './class-table.ts'

/** Which sets are made of a dataset. Everything in it decides their bytes. */
export interface BenchmarkSettings {
  /** The shipped sets to make. */
  readonly sets: readonly BenchmarkSet[]
  /** Images of every class; classes that have fewer are left out. */
  readonly perClass: number
  /** Lists the classes that were left out too, as the original's list of 70. */
  readonly allClasses: boolean
  /** Largest number of pairs of a retrieval set. */
  readonly retrieval: number
  readonly own: readonly OwnSet[]
}

/** A set that a user describes. */
export interface OwnSet {
  readonly name: string
  readonly classes: ClassTable
  /** With `{c}` for the class. */
  readonly prompts: readonly string[]
}

/** A set to be made. */
export interface SetDefinition {
  readonly name: string
  /** Relative to the dataset. */
  readonly folder: string
  /** The original's data set whose prompts are used, or prompts; null for retrieval. */
  readonly prompts: string | readonly string[] | null
  /** Null for a set of images and captions. */
  readonly table: ClassTable | null
}

const RETRIEVAL: BenchmarkSet = 'SkyScript_retrieval'

export function definitionsOf({ sets, own }: BenchmarkSettings): SetDefinition[] {
  const shipped = BENCHMARK_SETS.filter((name) => sets.includes(name)).map((name): SetDefinition => {
    if (name === RETRIEVAL) return { name, folder: name, prompts: null, table: null }
    return { name, folder: name, prompts: name, table: shippedTable(name) }
  })
  return [
    ...shipped,
    ...own.map(({ name, classes, prompts }) => ({ name, folder: ownSetFolder(name), prompts, table: classes })),
  ]
}

/** The 70 classes of SkyScript_cls have the original's names and order; which tags show them is our choice. */
const tables = Object.fromEntries(
  BENCHMARK_SETS.filter((name) => name !== RETRIEVAL).map((name) => [
    name,
    once(() => parseClassTable(readFileSync(new URL(`tables/${name}.csv`, import.meta.url), 'utf8'), `${name}.csv`)),
  ]),
)

export const shippedTable = (name: BenchmarkSet): ClassTable => tables[name]!()
