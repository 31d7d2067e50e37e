import { type Storage, sha256 } from '@skyscript/core'
import { localFile, MANIFEST, type ManifestFile, openManifestFile } from '@skyscript/dataset'
import {
  BENCHMARK_RECORD,
  type BenchmarkRecord,
  classListOf,
  createDoubts,
  PROMPTS_FILE,
  setCsv,
} from '@skyscript/dataset/benchmarks'
import { stringify } from 'csv-stringify/sync'
import { type Looks, readCandidates } from './candidates.ts'
import { type ChosenImage, type ChosenSet, chooseClasses, choosePairs } from './choose.ts'
import { type BenchmarkSettings, definitionsOf, type SetDefinition } from './definitions.ts'

/** Raise when the same dataset and settings give other sets. */
export const BENCHMARK_RULES = 1

export interface MadeSets {
  /** sha256 by path. */
  readonly files: ReadonlyMap<string, string>
  /** Rows of the CSVs by path. */
  readonly rows: Readonly<Record<string, number>>
  /** By folder. */
  readonly sets: Readonly<Record<string, { readonly images: number; readonly classes: number }>>
  /** Which sets could not be made, and why. */
  readonly notes: readonly string[]
}

/**
 * Makes benchmark sets of a dataset whose manifest has its splits, and writes their files. Images are not copied.
 *
 * @param options.from the split whose ground the images show
 * @param options.checksGround whether images may show the ground of train and val, so that boxes must be compared
 * @throws InputError `bad-manifest`; errors of `storage`
 */
export async function makeBenchmarks(options: {
  readonly settings: BenchmarkSettings
  readonly from: 'test' | 'benchmark'
  readonly checksGround: boolean
  readonly scorers: readonly string[]
  readonly looks: Looks
  readonly seed: number
  readonly storage: Storage
  readonly signal?: AbortSignal
}): Promise<MadeSets> {
  const { settings, from, storage } = options
  const file = await localFile(storage, MANIFEST)
  let manifest: ManifestFile | undefined
  try {
    manifest = await openManifestFile(file.path)
    const candidates = await readCandidates(manifest, options)
    const doubtOf = createDoubts(candidates.map(({ similarities }) => similarities))
    const files = new Map<string, string>()
    const rows: Record<string, number> = {}
    const sets: Record<string, { images: number; classes: number }> = {}
    const notes: string[] = []
    for (const definition of definitionsOf(settings)) {
      const { table, folder } = definition
      const set =
        table === null
          ? choosePairs(definition, candidates, options)
          : chooseClasses(definition, table, candidates, options)
      if (set.refusal !== null) {
        notes.push(`Benchmark set ${folder} not made: ${set.refusal}.`)
        continue
      }
      const csv = await csvOf(manifest, set)
      const record = recordOf(definition, set, { from, csv, doubtOf })
      const texts = {
        // First, so that no folder with files of ours is without.
        [BENCHMARK_RECORD]: `${JSON.stringify(record, null, 2)}\n`,
        [setCsv(folder)]: csv,
        ...Object.fromEntries(set.labels.map(({ column, classes }) => [classListOf(column), lines(classes)])),
        ...(Array.isArray(definition.prompts) && { [PROMPTS_FILE]: lines(definition.prompts) }),
      }
      for (const [name, text] of Object.entries(texts)) {
        await storage.put(`${folder}/${name}`, text)
        files.set(`${folder}/${name}`, sha256(text))
      }
      rows[`${folder}/${setCsv(folder)}`] = set.images.length
      sets[folder] = { images: set.images.length, classes: set.labels[0]?.classes.length ?? 0 }
    }
    return { files, rows, sets, notes }
  } finally {
    await manifest?.close()
    await file.release()
  }
}

const lines = (list: readonly string[]) => `${list.join('\n')}\n`

async function csvOf(manifest: ManifestFile, { images, labels }: ChosenSet): Promise<string> {
  const captions = labels.length === 0 ? ['title', 'title_multi_objects'] : ['title']
  const texts = await textsOf(manifest, images, ['filepath', ...captions])
  const header = ['filepath', ...captions, ...labels.map(({ column }) => column)]
  return stringify([header, ...images.map((image, i) => [...texts[i]!, ...image.labels])], { record_delimiter: '\n' })
}

/** Columns of the manifest for the rows of some images. */
async function textsOf(manifest: ManifestFile, images: readonly ChosenImage[], columns: readonly string[]) {
  const texts: string[][] = images.map(() => [])
  const byRow = [...images.entries()].sort(([, a], [, b]) => a.candidate.row - b.candidate.row)
  let next = 0
  for (const [group, { from, to }] of manifest.groups.entries()) {
    const first = next
    while (next < byRow.length && byRow[next]![1].candidate.row < to) next++
    if (next === first) continue
    const read = await manifest.readGroup(group, columns)
    for (const [i, { candidate }] of byRow.slice(first, next))
      texts[i] = columns.map((column) => read[column]![candidate.row - from] as string)
  }
  return texts
}

function recordOf(
  { name, prompts, table }: SetDefinition,
  { images, labels, excluded }: ChosenSet,
  { from, csv, doubtOf }: { from: 'test' | 'benchmark'; csv: string; doubtOf: ReturnType<typeof createDoubts> },
): BenchmarkRecord {
  return {
    name,
    task: table === null ? 'retrieval' : 'classification',
    prompts: prompts ?? [],
    labels: labels.map(({ column, classes }, at) => {
      const byClass = Map.groupBy(images, (image) => image.labels[at]!)
      return {
        column,
        file: classListOf(column),
        classes: classes.map((className) => {
          const shown = byClass.get(className) ?? []
          const doubtful = shown
            .map(({ candidate }) => doubtOf(candidate.similarities))
            .filter((doubt) => doubt !== 'none')
          const disputed = doubtful.filter((doubt) => doubt === 'some').length
          return { name: className, images: shown.length, doubtful: doubtful.length, disputed }
        }),
      }
    }),
    images: images.length,
    from,
    excluded: Object.fromEntries([...excluded].sort(([a], [b]) => (a < b ? -1 : 1))),
    sha256: sha256(csv),
  }
}
