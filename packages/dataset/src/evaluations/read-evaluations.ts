import { InputError, type Storage } from '@skyscript/core'
import { parse } from 'csv-parse/sync'
import { z } from 'zod'
import { type BenchmarkRecord, contentHash, parseBenchmarkText, recordPaths, setCsv } from '../benchmarks/index.ts'
import { localFile } from '../local-file.ts'
import type { DatasetLock } from '../lock.ts'
import { openManifestFile } from '../manifest-file.ts'
import { EVALUATIONS, MANIFEST } from '../names.ts'

const text = z.string()
const share = z.number()
const recalls = z.record(text, share)

/** `evaluations.json`: results that `skyscript evaluate --save` wrote beside a dataset. */
const schema = z.array(
  z.object({
    /** Name of the set, without its folder. */
    set: text,
    /** Hub id, or name of the model's folder. */
    model: text,
    /** Of labels or captions. */
    column: text,
    task: z.enum(['classification', 'retrieval']),
    result: z.union([
      z.looseObject({ n: z.number(), top1: share, top5: share }),
      z.looseObject({ images: z.number(), texts: z.number(), image_to_text: recalls, text_to_image: recalls }),
    ]),
    /** See `contentHash`. */
    content: text,
    /** Fingerprint of the dataset, and the time of its map. */
    dataset: text.nullable(),
    map: text.nullable(),
  }),
)

export type SavedEvaluation = z.infer<typeof schema>[number]

export interface ShownEvaluation extends SavedEvaluation {
  /** The set has other images, labels or captions now, or is gone. */
  readonly isStale: boolean
}

type Lock = Pick<DatasetLock, 'files'>

/**
 * The saved results, by set, column and model, each compared with the set as it is now. Reads the sets' CSVs, and the paths and hashes of
 * the manifest.
 *
 * @throws InputError `bad-evaluations`
 */
export async function readEvaluations(storage: Storage, lock: Lock): Promise<ShownEvaluation[]> {
  const bytes = await storage.get(EVALUATIONS)
  if (bytes === null) return []
  const saved = parseEvaluations(Buffer.from(bytes).toString('utf8'))
  const contents = await readContents(storage, lock, new Set(saved.map(({ set }) => set)))
  return saved
    .map((each) => ({ ...each, isStale: contents.get(keyOf(each)) !== each.content }))
    .sort((a, b) => compare(a.set, b.set) || compare(a.column, b.column) || compare(a.model, b.model))
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const keyOf = ({ set, column }: { readonly set: string; readonly column: string }) => `${set}\n${column}`

function parseEvaluations(json: string): SavedEvaluation[] {
  const fault = (why: string) =>
    new InputError(
      'bad-evaluations',
      `${EVALUATIONS} is not valid (${why}); delete it and run skyscript evaluate --save.`,
    )
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    throw fault('it is not JSON')
  }
  const checked = schema.safeParse(value)
  if (checked.success) return checked.data
  const [issue] = checked.error.issues
  throw fault(`${issue!.path.join('.')}: ${issue!.message}`)
}

/** Hashes of the content of sets by set and column. */
async function readContents(
  storage: Storage,
  { files }: Lock,
  names: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const wanted: { readonly record: BenchmarkRecord; readonly rows: readonly Record<string, string>[] }[] = []
  for (const { folder, path } of recordPaths(files)) {
    const json = await storage.get(path)
    const checked = json && parseBenchmarkText(Buffer.from(json).toString('utf8'))
    if (!checked || !('value' in checked) || !names.has(checked.value.name)) continue
    const csv = await storage.get(`${folder}/${setCsv(folder)}`)
    if (csv !== null) wanted.push({ record: checked.value, rows: parse(Buffer.from(csv), { columns: true }) })
  }
  const hashes = await readHashes(storage, new Set(wanted.flatMap(({ rows }) => rows.map((row) => row.filepath!))))
  return new Map(
    wanted.flatMap(({ record, rows }) =>
      columnsOf(record).map((column) => {
        const content = rows
          .filter((row) => (row[column] ?? '') !== '')
          .map((row) => ({ sha256: hashes.get(row.filepath!) ?? '', value: row[column]! }))
        return [keyOf({ set: record.name, column }), contentHash(content)] as const
      }),
    ),
  )
}

const columnsOf = ({ task, labels }: BenchmarkRecord) =>
  task === 'retrieval' ? ['title', 'title_multi_objects'] : labels.map(({ column }) => column)

async function readHashes(storage: Storage, paths: ReadonlySet<string>): Promise<Map<string, string>> {
  const hashes = new Map<string, string>()
  if (paths.size === 0) return hashes
  const file = await localFile(storage, MANIFEST)
  try {
    const manifest = await openManifestFile(file.path)
    try {
      for (const group of manifest.groups.keys()) {
        const { filepath, sha256 } = await manifest.readGroup(group, ['filepath', 'sha256'])
        for (const [i, path] of filepath!.entries())
          if (paths.has(path as string)) hashes.set(path as string, sha256![i] as string)
      }
    } finally {
      await manifest.close()
    }
  } finally {
    await file.release()
  }
  return hashes
}
