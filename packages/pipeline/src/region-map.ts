import { basename } from 'node:path'
import type { Captioner } from '@skyscript/captioner'
import { createCaptioner } from '@skyscript/captioner'
import { type Config, formatCounted, getJson, type Storage, type Terminal } from '@skyscript/core'
import { lateWarning } from '@skyscript/osm-extract'
import { openCaptioner, readCaptionTables } from './captioner.ts'
import { extractTiles } from './extract.ts'
import { withSources } from './inputs.ts'
import { type LearnedTags, learnTags } from './learn-tags.ts'
import { type ChangeCounts, noCounts } from './map-changes/change-counts.ts'
import type { MapUpdate } from './map-changes/updated-maps.ts'
import type { ContextOptions } from './models.ts'
import { withSecrets } from './private-addresses.ts'
import { type CaptionTables, type ExtractIndex, extractIndexKey } from './run.ts'
import type { SourceFile } from './source-file.ts'

/** What a region's map was read into. */
export interface RegionMap {
  readonly tables: CaptionTables
  readonly captioner: Captioner
  /** Fingerprint that names the extract. */
  readonly extract: string
  readonly index: ExtractIndex
  /** Keys of what a classifier said. */
  readonly learnedTags: readonly string[]
  /** What `osm.changes` did, by extract. */
  readonly updates: readonly ExtractUpdate[]
}

/** How an extract was brought up to date. */
export interface ExtractUpdate {
  readonly name: string
  /** Number of change files that were applied since the extract. */
  readonly files: number
  /** See `MapUpdate`. */
  readonly newFiles: number
  /** Elements that they touched, since the extract. */
  readonly counts: ChangeCounts
  /** Of the map now. */
  readonly timestamp: string | null
  readonly sequence: number | null
}

/** What reading a map needs. */
export interface MapOptions extends ContextOptions {
  readonly config: Config
  readonly storage: Storage
  /** Opens a bucket that an extract is read from. */
  readonly openStorage: (url: string) => Promise<Storage>
  readonly terminal: Terminal
  readonly signal: AbortSignal
}

/**
 * Reads the extracts of the settings into storage, unless they are there already.
 *
 * @param existing keys in storage
 */
export async function readMap(options: MapOptions, existing: ReadonlySet<string>): Promise<RegionMap> {
  const { config, storage, terminal, signal, openStorage, modelCache: cacheFolder } = options
  const texts = await readCaptionTables(config.captions)
  const sourceOptions = { signal, terminal, openStorage, cacheFolder }
  return withSources(withSecrets(config).osm, sourceOptions, async (files) => {
    const asked = await askClassifier(options, texts, files, existing)
    const tables: CaptionTables = { ...texts, learned: asked?.learned ?? null }
    const captioner = await openCaptioner(config, tables, options)
    const reading = terminal.stage('extract', 'bytes')
    const extract = await extractTiles(files, config.osm, captioner, storage, existing, reading, signal)
    const index = (await getJson<ExtractIndex>(storage, extractIndexKey(extract)))!
    const objects = Object.values(index.tiles).reduce((sum, tile) => sum + tile.objects, 0)
    reading.end(
      `${formatCounted(objects, 'visible object')} of ${index.tagged} tagged, in ${formatCounted(Object.keys(index.tiles).length, 'map tile')}`,
    )
    const late = lateWarning(config.osm.at ?? null, index.newestEdit ?? null)
    if (late !== null) terminal.warn(late)
    const updates = files.flatMap(({ source, updated }) => (updated ? [updateOf(source, updated)] : []))
    return { tables, captioner, extract, index, learnedTags: asked === null ? [] : [asked.key], updates }
  })
}

const updateOf = (source: string, { map, newFiles, to: { timestamp, sequence } }: MapUpdate): ExtractUpdate => ({
  ...{ name: basename(source), files: map?.files ?? 0, newFiles, counts: map?.counts ?? noCounts, timestamp, sequence },
})

/** What the classifier of the settings says of the extracts' tags; null without one. */
async function askClassifier(
  { config, storage, terminal, signal, ...models }: MapOptions,
  texts: Omit<CaptionTables, 'learned'>,
  files: readonly SourceFile[],
  existing: ReadonlySet<string>,
): Promise<LearnedTags | null> {
  const { classifier, labels } = config.captions
  if (classifier === null) return null
  const asking = terminal.stage('classify', 'tags')
  const tables = createCaptioner({ labels, ...(texts.tags !== null && { tags: texts.tags }) })
  const asked = await learnTags(classifier, files, config.osm.at, tables, storage, existing, asking, models, signal)
  const { rows } = asked.learned
  const seen = rows.filter(({ maxGsd }) => maxGsd !== null).length
  asking.end(`${seen} of ${formatCounted(rows.length, 'tag')} in no table visible`)
  return asked
}
