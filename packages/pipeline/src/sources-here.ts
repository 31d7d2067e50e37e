/** Which sources cover a place, what they need, and how many objects each would serve. */
import {
  type Box,
  boxCenter,
  breather,
  type CatalogueEntry,
  type Config,
  catalogued,
  mapTileBox,
  type Position,
  type SourceChoice,
} from '@skyscript/core'
import { aliasOf, SHIPPED_ALIASES, shippedSource } from '@skyscript/core/config'
import {
  completeSources,
  coveredBy,
  gsdOf,
  hasUnknownGsd,
  type Layer,
  mayCover,
  type Source,
  sourcesOf,
  suitableSources,
} from '@skyscript/gee-fetch'
import { lackOf } from './auto-sources.ts'
import { webOptions } from './context.ts'
import { readCatalogue, withLayers } from './layer-sources.ts'
import { listStorage } from './presence/listing.ts'
import { secretsOf } from './private-addresses.ts'
import { type MapOptions, type RegionMap, readMap } from './region-map.ts'
import { sightByTags } from './select.ts'
import { openTiles } from './tiles.ts'

/** A source that covers a place. */
export interface SourceHere {
  readonly setting: SourceChoice
  readonly source: Source
  /** m/pixel there. */
  readonly gsd: number
  /** What must be there to use it: `Earth Engine account`, or the name of a variable of the environment; null: nothing. */
  readonly needs: string | null
  /** What of that is missing, in words; null for nothing. */
  readonly lacks: string | null
  /** Visible objects that it could show; null of a position. */
  readonly objects: number | null
  /** One of these, or the position. */
  readonly at: Position
  /** Of shipped sources. */
  readonly terms: string | null
  readonly confirmed: CatalogueEntry['confirmed'] | null
}

/** Sources at one position, the finest first. */
export function sourcesAt(imagery: Config['imagery'], at: Position): SourceHere[] {
  const box: Box = [...at, ...at]
  const here = choicesOf(imagery).filter(({ source }) => mayCover(source, box))
  return here.map((choice) => hereOf(choice, imagery, at, null)).sort(byGsd)
}

/** What covers a region. */
export interface RegionSources {
  /** Those that can be seen. */
  readonly objects: number
  /** The finest first. */
  readonly sources: readonly SourceHere[]
  /** Layers of `imagery.catalogue`, by id. */
  readonly layers: readonly Layer[]
}

/** Sources of a region. Reads the map first, unless an earlier command did. */
export async function sourcesOfRegion(given: MapOptions): Promise<RegionSources> {
  const { storage, terminal, signal } = given
  const say = (text: string) => terminal.note(text)
  const { catalogue } = given.config.imagery
  const known = catalogue === null ? null : await readCatalogue(catalogue, say, webOptions(given.config, given), signal)
  const config = await withGsds(await withLayers(given.config, async () => known!), given)
  const options = { ...given, config }
  const { work } = await listStorage(storage)
  const map = await readMap(options, new Set(work.keys()))
  const boxes = Object.keys(map.index.tiles).map(mapTileBox)
  const here = choicesOf(config.imagery).filter(({ source }) => boxes.some((box) => mayCover(source, box)))
  const counting = terminal.stage('count', 'tiles')
  const { objects, served } = await countServed(
    options,
    map,
    here.map(({ source }) => source),
    (done, all) => counting.update(done, all),
  )
  counting.end(null)
  const sources = here.map((choice) => {
    const { source } = choice
    const { count = 0, at = boxCenter(boxes.find((box) => mayCover(source, box))!) } = served.get(source.alias) ?? {}
    return hereOf(choice, config.imagery, at, count)
  })
  const layers = (known?.layers ?? []).filter(
    ({ outline }) => outline === null || boxes.some((box) => mayCover(coveredBy(outline), box)),
  )
  return { objects, sources: sources.sort(byGsd), layers: layers.sort((a, b) => (a.id < b.id ? -1 : 1)) }
}

/** Settings with what services say, of sources whose GSD only these know. */
async function withGsds(config: Config, options: MapOptions): Promise<Config> {
  const complete = async (source: SourceChoice) =>
    hasUnknownGsd(source) ? (await completeSources([source], webOptions(config, options)))[0]! : source
  return { ...config, imagery: { ...config.imagery, sources: await Promise.all(config.imagery.sources.map(complete)) } }
}

const byGsd = (a: SourceHere, b: SourceHere) => a.gsd - b.gsd

type Choice = Pick<SourceHere, 'setting' | 'source'>

/** What the settings describe, and everything shipped. */
function choicesOf({ sources }: Config['imagery']): Choice[] {
  const own = sources.filter((source) => typeof source !== 'string')
  const names = new Set(own.map(aliasOf))
  const settings = [...own, ...SHIPPED_ALIASES.filter((alias) => !names.has(alias)).map(shippedSource)]
  return settings.map((setting) => ({ setting, source: sourcesOf([setting])[0]! }))
}

function hereOf(
  { setting, source }: Choice,
  imagery: Config['imagery'],
  at: Position,
  objects: number | null,
): SourceHere {
  const [secret = null] = 'url' in source ? secretsOf(source.url) : []
  const { alias, terms, confirmed } = source
  // A description of the user's may have the alias of a service.
  const entry = 'url' in source && source.licence === catalogued(alias)?.licence ? catalogued(alias) : undefined
  return {
    setting,
    source,
    gsd: gsdOf(source, at[1]),
    needs: source.kind === 'earth-engine' && imagery.earthEngine.endpoint !== 'local' ? 'Earth Engine account' : secret,
    lacks: lackOf(source, imagery.earthEngine),
    objects,
    at,
    terms: terms ?? entry?.terms ?? null,
    confirmed: confirmed ?? entry?.confirmed ?? null,
  }
}

/** Objects that each source could show, and one of them in the fullest map tile. */
async function countServed(
  { config, storage }: MapOptions,
  { extract, index, captioner }: RegionMap,
  sources: readonly Source[],
  progress: (done: number, all: number) => void,
) {
  const served = new Map<string, { count: number; readonly at: Position }>()
  const settings = { sources, prefer: 'listed' as const, tiles: config.tiles }
  const reader = openTiles(storage, extract, index)
  const sightOf = sightByTags(captioner)
  const breathe = breather()
  let objects = 0
  const fullestFirst = Object.entries(index.tiles).sort(([a, m], [b, n]) => n.objects - m.objects || (a < b ? -1 : 1))
  for (const [i, [tile]] of fullestFirst.entries()) {
    for await (const outlines of reader.homeOutlines(tile)) {
      for (const outline of outlines) {
        await breathe()
        objects++
        const { box, isArea } = outline
        const suitable = suitableSources({ box, isArea, maxGsd: sightOf(outline).maxGsd }, settings)
        if ('reason' in suitable) continue
        for (const { alias } of suitable.sources) {
          const known = served.get(alias)
          if (known) known.count++
          else served.set(alias, { count: 1, at: boxCenter(box) })
        }
      }
    }
    progress(i + 1, fullestFirst.length)
  }
  return { objects, served }
}
