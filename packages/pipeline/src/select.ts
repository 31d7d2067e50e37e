import type { Captioner } from '@skyscript/captioner'
import {
  boxCenter,
  breather,
  type Config,
  count,
  fingerprint,
  type Position,
  type Progress,
  putJson,
  type Storage,
  sha256,
  type Tags,
} from '@skyscript/core'
import { sourcesOf, suitableSources } from '@skyscript/gee-fetch'
import pMap from 'p-map'
import type { Outline } from './outlines.ts'
import { getWhole } from './results.ts'
import { decidingSources, type ExtractIndex, type SelectIndex, selectIndexKey, selectionKey, VERSIONS } from './run.ts'
import { capPerTag, type Kept, ObjectTable, sampleCells } from './sampling.ts'
import { addTable, countIn, sortedCounts, sortedTable } from './tables.ts'
import { openTileSelections, type TileSelection } from './tile-selections.ts'
import { openTiles } from './tiles.ts'

/** The cells of the paper's random sample: 0.01 x 0.01 degree. */
const CELLS_PER_DEGREE = 100

/** Map tiles that are read and gone through at a time: enough to hide a bucket's latency. */
const READS = 4
/** Reasons for which no source shows an area, and which `tiles.coarsen` may take away. */
const TOO_LARGE: ReadonlySet<string> = new Set(['area-too-large', 'area-between-sources'])

/** Objects that are gone through before others may have their turn. */
const TURN = 256

/**
 * Chooses the objects that are to get an image (paper, section "Data collection"): those in random cells, those with
 * rare tags, at most `maxPerTag` for each tag, and none that no source could show. It depends only on seed and ids, so it
 * is the same on every machine.
 *
 * Memory: the lines of a few map tiles; where objects are sampled or capped, also some 30 bytes for each object that a
 * source could show.
 *
 * @param existing keys in storage
 * @returns the fingerprint that names the selection
 */
export async function selectObjects(
  config: Config,
  extract: string,
  index: ExtractIndex,
  captioner: Captioner,
  storage: Storage,
  existing: ReadonlySet<string>,
  progress: Progress,
): Promise<string> {
  const { selection, seed } = config
  const { sources, prefer } = config.imagery
  const settings = { sources: sourcesOf(sources), prefer, tiles: config.tiles }
  const tileHashes = Object.entries(index.tiles).map(([tile, { sha256: hash }]) => [tile, hash])
  const deciding = [selection, decidingSources(sources), config.tiles, seed, captioner.tagsFingerprint]
  const name = fingerprint('select', VERSIONS.select, tileHashes, ...deciding)
  const known = await getWhole<SelectIndex>(storage, selectIndexKey(name))
  if (known && Object.keys(known.tiles).every((tile) => existing.has(selectionKey(name, tile)))) return name

  const dropped = new Map<string, number>()
  const outcomes = new Map<string, Map<string, number>>()
  const isSampled = selection.cells !== 'all' || selection.maxPerTag !== null
  let coarsenable = 0
  const coarser = { ...settings, tiles: { ...config.tiles, coarsen: 8 as const } }
  const isCoarsenable = (reason: string, object: Parameters<typeof suitableSources>[0]) =>
    config.tiles.coarsen === undefined && TOO_LARGE.has(reason) && 'sources' in suitableSources(object, coarser)
  const table = new ObjectTable()
  const rangesOf = new Map<string, [from: number, to: number][]>()
  const stored = new Map<string, SelectIndex['tiles'][string]>()
  const store = async (tile: string, ids: string[]) => {
    if (ids.length === 0) return
    ids.sort()
    await putJson(storage, selectionKey(name, tile), ids)
    stored.set(tile, { sha256: sha256(ids.join('\n')), objects: ids.length })
  }
  const reader = openTiles(storage, extract, index)
  const sightOf = sightByTags(captioner)
  const breathe = breather()
  const total = Object.keys(index.tiles).length
  let done = 0
  const choose = async (tile: string): Promise<TileSelection> => {
    const ids: string[] = []
    const ranges: [from: number, to: number][] = []
    const lost = new Map<string, number>()
    const tagsLost = new Map<string, Map<string, number>>()
    let tooLarge = 0
    let seen = 0
    for await (const outlines of reader.homeOutlines(tile)) {
      for (const outline of outlines) {
        const { id, box, isArea } = outline
        // Objects of other tiles may be put into the table meanwhile.
        if (seen++ % TURN === 0) await breathe()
        const { maxGsd, tags } = sightOf(outline)
        const suitable = suitableSources({ box, isArea, maxGsd }, settings)
        if ('reason' in suitable) {
          count(lost, suitable.reason)
          for (const tag of tags) countIn(tagsLost, tag, suitable.reason)
          if (isCoarsenable(suitable.reason, { box, isArea, maxGsd })) tooLarge++
        } else if (!isSampled) ids.push(id)
        else {
          if (ranges.at(-1)?.[1] !== table.size) ranges.push([table.size, table.size])
          table.add(id, cellAt(boxCenter(box)), tags)
          ranges.at(-1)![1] = table.size
        }
      }
    }
    rangesOf.set(tile, ranges)
    return { ids, dropped: Object.fromEntries(lost), tags: sortedTable(tagsLost), coarsenable: tooLarge }
  }
  const byTile = openTileSelections(storage, name, fingerprint('tiles', VERSIONS.select, ...deciding), existing)
  const take = async (tile: string) => {
    const { sha256: hash } = index.tiles[tile]!
    const made = (isSampled ? null : await byTile.find(tile, hash)) ?? (await choose(tile))
    for (const [reason, objects] of Object.entries(made.dropped)) count(dropped, reason, objects)
    addTable(outcomes, made.tags)
    coarsenable += made.coarsenable
    await store(tile, made.ids)
    if (!isSampled) await byTile.note(tile, hash, made)
    progress.update(++done, total)
  }
  await pMap(Object.keys(index.tiles).sort(), take, { concurrency: READS })
  if (isSampled) {
    let kept: Kept = new Uint8Array(table.size).fill(1)
    const dropOthers = async (chosen: Kept, reason: string) => {
      const lost = await table.tagCounts((object) => kept[object] === 1 && chosen[object] === 0)
      for (const [tag, n] of lost.entries()) if (n > 0) countIn(outcomes, table.tags[tag]!, reason, n)
      const sum = (some: Kept) => some.reduce((all, one) => all + one, 0)
      count(dropped, reason, sum(kept) - sum(chosen))
      kept = chosen
    }
    if (selection.cells !== 'all') {
      const { cells, rareTagsBelow } = selection
      await dropOthers(await sampleCells(table, cells, rareTagsBelow, seed, nameOfCell), 'outside-sampled-cells')
    }
    if (selection.maxPerTag !== null)
      await dropOthers(await capPerTag(table, kept, selection.maxPerTag, seed), 'over-max-per-tag')
    const storeTile = async ([tile, ranges]: readonly [string, readonly (readonly [number, number])[]]) => {
      const ids: string[] = []
      for (const [from, to] of ranges) {
        await breathe()
        for (let object = from; object < to; object++) if (kept[object] === 1) ids.push(table.id(object))
      }
      await store(tile, ids)
    }
    await pMap(rangesOf, storeTile, { concurrency: READS })
  }
  const tiles = Object.fromEntries([...stored].sort(([a], [b]) => (a < b ? -1 : 1)))
  const made: SelectIndex = {
    ...{ tiles, dropped: sortedCounts(dropped), tags: sortedTable(outcomes) },
    ...(coarsenable > 0 && { coarsenable }),
  }
  await putJson(storage, selectIndexKey(name), made)
  return name
}

/** What can be seen of an object. */
export interface Sight {
  /** `key=value` of the tags that can be seen. */
  readonly tags: readonly string[]
  /** The coarsest GSD (m/pixel) at which any of them can. */
  readonly maxGsd: number
}

/** Tags come from anyone's files: more than these are not kept. */
const SIGHTS_AT_HAND = 20_000

/** Remembers what it found: most objects of a region have the same tags as others. */
export function sightByTags(captioner: Captioner): (outline: Outline) => Sight {
  const known = new Map<string, Sight>()
  return (outline) => {
    const { tagsText } = outline
    let sight = known.get(tagsText)
    if (sight === undefined) {
      if (known.size === SIGHTS_AT_HAND) known.clear()
      known.set(tagsText, (sight = sightOf(outline.id, outline.tags, captioner)))
    }
    return sight
  }
}

function sightOf(id: string, tags: Tags, captioner: Captioner): Sight {
  const maxGsd = captioner.maxGsd(tags)
  if (maxGsd === null) throw new TypeError(`${id} has no groundable tag, so it should not have been extracted.`)
  const groundable = Object.entries(tags).filter(([key, value]) => captioner.groundability(key, value).groundable)
  return { maxGsd, tags: groundable.map(([key, value]) => `${key}=${value}`) }
}

const ROWS = 180 * CELLS_PER_DEGREE + 1

/** Number of the cell of a position. */
function cellAt([longitude, latitude]: Position): number {
  return Math.floor((longitude + 180) * CELLS_PER_DEGREE) * ROWS + Math.floor((latitude + 90) * CELLS_PER_DEGREE)
}

/** The text that a cell is drawn by. */
const nameOfCell = (cell: number): string => `${Math.floor(cell / ROWS)}_${cell % ROWS}`
