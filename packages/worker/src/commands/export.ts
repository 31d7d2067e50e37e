import { formatBytes, formatCount, InputError, type Storage, type Terminal } from '@skyscript/core'
import { CROISSANT } from '@skyscript/dataset'
import {
  type CAPTIONS,
  CARD,
  cardOf,
  chooseSets,
  croissantOf,
  exportOpenclip,
  exportWebdataset,
  exportZip,
  type FinishedDataset,
  gatherStatistics,
  openFinished,
  openManifest,
  type Publication,
  SHARD_BYTES,
} from '@skyscript/dataset/export'
import { optionsClaim } from '@skyscript/pipeline/ownership'
import { openDataset } from '../storages/storages.ts'
import { openTarget } from './export-target.ts'
import { owning } from './owning.ts'
import { openTerminal } from './region.ts'

export const FORMATS = ['webdataset', 'openclip', 'zip', 'croissant', 'card'] as const

export interface ExportOptions {
  readonly format: (typeof FORMATS)[number]
  readonly to?: string
  readonly set?: readonly string[]
  readonly shardBytes?: number
  readonly caption?: (typeof CAPTIONS)[number]
  readonly absolute?: boolean
  readonly url?: string
  readonly published?: string
  readonly creator?: string
  readonly json?: boolean
}

interface Job {
  readonly dataset: FinishedDataset
  readonly target: Storage
  readonly options: ExportOptions
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/** What was made: for programs, and in lines for people. */
interface Exported {
  readonly json: Readonly<Record<string, unknown>>
  readonly lines: readonly string[]
}

/** `skyscript export`: a finished dataset in the forms that people train with and publish. */
export async function exportCommand(output: string, options: ExportOptions): Promise<number> {
  refuseForeign(options)
  const terminal = openTerminal()
  const storage = await openDataset(output)
  const target = await openTarget(storage, options.format, options.to)
  if (options.format === 'zip' && target.url === storage.url)
    throw new InputError('bad-output', 'Zip files can not go into the dataset itself; give another folder as --to.')
  const isWithin = target.url === storage.url || target.url.startsWith(`${storage.url.replace(/\/$/, '')}/`)
  const claim = isWithin ? optionsClaim('export', options) : null
  const { json, lines } = await owning(storage, claim, terminal, async (signal) =>
    EXPORTERS[options.format]({ dataset: await openFinished(storage), target, options, terminal, signal }),
  )
  if (options.json) process.stdout.write(`${JSON.stringify({ format: options.format, target: target.url, ...json })}\n`)
  else process.stdout.write(`${[target.url, ...lines].join('\n')}\n`)
  return 0
}

/** Which formats an option has an effect with. */
const OPTIONS: readonly (readonly [flag: string, option: keyof ExportOptions, formats: readonly string[]])[] = [
  ['--set', 'set', ['webdataset', 'openclip']],
  ['--caption', 'caption', ['webdataset', 'openclip']],
  ['--shard-bytes', 'shardBytes', ['webdataset']],
  ['--absolute', 'absolute', ['openclip']],
  ...(['url', 'published', 'creator'] as const).map((name) => [`--${name}`, name, ['croissant', 'zip']] as const),
]

/** An option without effect is refused rather than ignored. */
function refuseForeign(options: ExportOptions): void {
  for (const [flag, option, formats] of OPTIONS) {
    if (options[option] !== undefined && !formats.includes(options.format))
      throw new InputError('bad-option', `${flag} has no effect with --format ${options.format}; remove it.`)
  }
}

const EXPORTERS: Readonly<Record<ExportOptions['format'], (job: Job) => Promise<Exported>>> = {
  async webdataset({ dataset, target, options, terminal, signal }) {
    const asked = options.set ?? []
    const sets = await exportWebdataset(dataset, target, {
      // By themselves the three sets of a dataset; what was asked for by name keeps its name, so that none replaces another.
      sets: chooseSets(dataset, asked).map((set) => ({ set, folder: asked.length > 0 ? set.name : set.part })),
      shardBytes: options.shardBytes ?? SHARD_BYTES,
      caption: options.caption ?? 'title',
      signal,
      progress: ({ name }) => terminal.stage(name, 'pairs'),
    })
    const lines = sets.map(
      ({ set, samples, bytes, urls }) =>
        `${formatCount(samples).padStart(12)}  ${set}: ${urls ?? 'no pairs'} (${formatBytes(bytes)})`,
    )
    return { json: { sets }, lines }
  },

  async openclip({ dataset, target, options, signal }) {
    const sets = chooseSets(dataset, options.set ?? [])
    const { caption = 'title', absolute = false } = options
    const files = await exportOpenclip(dataset, target, { sets, caption, absolute, signal })
    return { json: { files }, lines: files.map(({ path, rows }) => `${formatCount(rows).padStart(12)}  ${path}`) }
  },

  async zip({ dataset, target, options, terminal, signal }) {
    const progress = terminal.stage('zip', 'files')
    const files = await exportZip(dataset, target, { signal, progress, publication: publicationOf(options) })
    progress.end()
    return { json: { files }, lines: files.map(({ path, bytes }) => `${formatBytes(bytes).padStart(12)}  ${path}`) }
  },

  async croissant({ dataset, target, options, terminal }) {
    const publication = publicationOf(options)
    const json = await withStatistics(dataset, terminal, (statistics, columns) =>
      croissantOf(dataset, columns, statistics, publication),
    )
    await target.put(CROISSANT, `${JSON.stringify(json, null, 2)}\n`)
    const missing = Object.entries(publication).flatMap(([name, value]) => (value === null ? [`--${name}`] : []))
    if (missing.length > 0)
      terminal.note(`Croissant asks for more that only you know: give ${missing.join(', ')} before you publish.`)
    terminal.note(`Its paths are those of the dataset's folder: publish it beside manifest.parquet.`)
    return { json: { files: [CROISSANT] }, lines: [CROISSANT] }
  },

  async card({ dataset, target, terminal }) {
    await target.put(CARD, await withStatistics(dataset, terminal, async (statistics) => cardOf(dataset, statistics)))
    return { json: { files: [CARD] }, lines: [CARD] }
  },
}

const publicationOf = ({ url, published, creator }: ExportOptions): Publication => ({
  url: url ?? null,
  published: published ?? null,
  creator: creator ?? null,
})

async function withStatistics<T>(
  dataset: FinishedDataset,
  terminal: Terminal,
  make: (statistics: Awaited<ReturnType<typeof gatherStatistics>>, columns: readonly string[]) => Promise<T>,
): Promise<T> {
  const manifest = await openManifest(dataset)
  const progress = terminal.stage('manifest', 'pairs')
  try {
    const statistics = await gatherStatistics(manifest, (pairs) => progress.update(pairs, manifest.rows))
    return await make(statistics, manifest.columns)
  } finally {
    progress.end()
    await manifest.close()
  }
}
