import { sha256 } from '@skyscript/core'
import { BENCHMARK_RECORD, classListOf, setCsv } from '../../src/benchmarks/index.ts'
import { type FinishedDataset, openFinished } from '../../src/export/dataset.ts'
import type { MemoryStorage } from './memory-storage.ts'
import { createTestDataset, csvText, storeTestDataset, type TestDataset, type TestRow } from './test-dataset.ts'

/** A set to be put into a test dataset. */
export interface TestSet {
  readonly folder: string
  readonly prompts: string | readonly string[]
  /** Class lists by column; none for retrieval. */
  readonly classes: Readonly<Record<string, readonly string[]>>
  readonly images: number
  /** A field of the i-th image. */
  readonly field: (column: string, i: number, row: TestRow) => string
}

/** A slash, dots, a device of Windows, names that differ in case, and an order that is not that of the alphabet. */
export const AWKWARD = ['shed', 'Barn/stable', '..', 'Shed', 'con', '温室'] as const
export const SCENES = ['beach', 'hospital', 'glacier', 'island', 'lake'] as const
export const ROOFS = {
  label_v1: ['roof shape of flat', 'roof shape of gabled'],
  label_v2: ['flat', 'pitched'],
} as const

/** Five scenes of 3 images, two columns of labels, a set of a user with awkward names, and captions. */
export const TEST_SETS: readonly TestSet[] = [
  {
    ...{ folder: 'SkyScript_cls', prompts: 'SkyScript_cls', classes: { label: SCENES }, images: 15 },
    field: (_, i) => SCENES[i % 5]!,
  },
  {
    ...{ folder: 'roof_shape', prompts: 'roof_shape', classes: ROOFS, images: 8 },
    field: (column, i) => (column === 'label_v2' && i === 0 ? '' : ROOFS[column as keyof typeof ROOFS][i % 2]!),
  },
  {
    folder: 'benchmarks/farm',
    prompts: ['a {c}, {from} above', 'seen: {c}'],
    ...{ classes: { label: [...AWKWARD, 'never seen'] }, images: 12 },
    field: (_, i) => AWKWARD[i % 6]!,
  },
  {
    ...{ folder: 'SkyScript_retrieval', prompts: [], classes: {}, images: 10 },
    field: (_, i, row) => (i === 3 ? `two\u2028lines of ${row.id}` : row.title_multi_objects),
  },
]

/** A finished dataset with these sets; the i-th image of a set is that of the i-th row of the manifest, whatever its split. */
export async function storeWithSets(
  sets: readonly TestSet[] = TEST_SETS,
  change: (dataset: TestDataset) => void = () => {},
): Promise<MemoryStorage> {
  const dataset = await createTestDataset()
  change(dataset)
  const storage = await storeTestDataset(dataset)
  const lock = JSON.parse(Buffer.from(storage.files.get('dataset.lock.json')!).toString())
  lock.config.benchmarks = { sets: ['roof_shape'], perClass: 1, allClasses: true, retrieval: 10, own: [] }
  for (const set of sets) {
    for (const [name, text] of filesOf(set, dataset.rows)) {
      const path = `${set.folder}/${name}`
      await storage.put(path, text)
      lock.files[path] = sha256(text)
      if (path.endsWith('.csv')) lock.rows[path] = set.images
    }
    lock.benchmarks = {
      ...lock.benchmarks,
      [set.folder]: { images: set.images, classes: Object.values(set.classes)[0]?.length ?? 0 },
    }
  }
  await storage.put('dataset.lock.json', JSON.stringify(lock))
  return storage
}

export async function openWithSets(
  sets?: readonly TestSet[],
): Promise<FinishedDataset & { readonly storage: MemoryStorage }> {
  const storage = await storeWithSets(sets)
  return { ...(await openFinished(storage)), storage }
}

function filesOf({ folder, prompts, classes, images, field }: TestSet, rows: readonly TestRow[]): [string, string][] {
  const columns = Object.keys(classes)
  const chosen = rows.slice(0, images)
  const fieldsOf = (row: TestRow, i: number) =>
    columns.length > 0
      ? [row.filepath, row.title, ...columns.map((column) => field(column, i, row))]
      : [row.filepath, row.title, field('title_multi_objects', i, row)]
  const header = ['filepath', 'title', ...(columns.length > 0 ? columns : ['title_multi_objects'])]
  const csv = csvText([header, ...chosen.map(fieldsOf)])
  const record = {
    name: folder.replace('benchmarks/', ''),
    task: columns.length > 0 ? 'classification' : 'retrieval',
    prompts,
    labels: columns.map((column) => ({
      ...{ column, file: classListOf(column) },
      classes: classes[column]!.map((name) => ({
        name,
        images: chosen.filter((row, i) => field(column, i, row) === name).length,
        ...{ doubtful: 0, disputed: 0 },
      })),
    })),
    images,
    from: 'test',
    excluded: { 'several-classes': 2 },
    sha256: sha256(csv),
  }
  return [
    [setCsv(folder), csv],
    ...columns.map((column): [string, string] => [classListOf(column), `${classes[column]!.join('\n')}\n`]),
    ...(typeof prompts === 'string' || prompts.length === 0
      ? []
      : [['prompts.txt', `${prompts.join('\n')}\n`] as [string, string]]),
    [BENCHMARK_RECORD, JSON.stringify(record)],
  ]
}
