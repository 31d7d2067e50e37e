import type { Captioner } from '@skyscript/captioner'
import {
  boxCenter,
  boxOf,
  type Config,
  count,
  type FocusObject,
  fingerprint,
  type OsmObject,
  type Position,
  type Progress,
  putJson,
  type Storage,
  seededFraction,
  sha256,
} from '@skyscript/core'
import { sourcesOf, suitableSources } from '@skyscript/gee-fetch'
import { getWhole } from './results.ts'
import { type ExtractIndex, type SelectIndex, selectIndexKey, selectionKey, VERSIONS } from './run.ts'
import { countIn, sortedCounts, sortedTable } from './tables.ts'
import { openTiles } from './tiles.ts'

/** The cells of the paper's random sample: 0.01 x 0.01 degree. */
const CELLS_PER_DEGREE = 100

interface Entry {
  readonly id: string
  readonly tile: string
  readonly cell: string
  /** `key=value` of the groundable tags. */
  readonly tags: readonly string[]
}

/**
 * Chooses the objects that are to get an image (paper, section "Data collection"): those in random cells, those with
 * rare tags, at most `maxPerTag` for each tag, and none that no source could show. A choice of its own from seed and
 * ids, so it is the same on every machine.
 *
 * Memory: one small record for each object that a source could show.
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
  const name = fingerprint(
    'select',
    VERSIONS.select,
    tileHashes,
    selection,
    sources,
    config.tiles,
    seed,
    captioner.tagsFingerprint,
  )
  const known = await getWhole<SelectIndex>(storage, selectIndexKey(name))
  if (known && Object.keys(known.tiles).every((tile) => existing.has(selectionKey(name, tile)))) return name

  const dropped = new Map<string, number>()
  const outcomes = new Map<string, Map<string, number>>()
  const drop = (reason: string, tags: readonly string[]) => {
    count(dropped, reason)
    for (const tag of tags) countIn(outcomes, tag, reason)
  }
  let entries: Entry[] = []
  let done = 0
  const reader = openTiles(storage, extract, index)
  for (const tile of Object.keys(index.tiles).sort()) {
    for (const object of await reader.home(tile)) {
      const suitable = suitableSources(focusOf(object, captioner), settings)
      if ('reason' in suitable) drop(suitable.reason, groundableTags(object, captioner))
      else entries.push(entryOf(object, tile, captioner))
    }
    progress.update(++done, Object.keys(index.tiles).length)
  }
  if (selection.cells !== 'all') {
    const inCells = sampleCells(entries, selection.cells, selection.rareTagsBelow, seed)
    for (const { tags } of without(entries, inCells)) drop('outside-sampled-cells', tags)
    entries = inCells
  }
  if (selection.maxPerTag !== null) {
    const capped = capPerTag(entries, selection.maxPerTag, seed)
    for (const { tags } of without(entries, capped)) drop('over-max-per-tag', tags)
    entries = capped
  }
  const tiles: Record<string, SelectIndex['tiles'][string]> = {}
  for (const [tile, chosen] of [...Map.groupBy(entries, (entry) => entry.tile)].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const ids = chosen.map((entry) => entry.id).sort()
    await putJson(storage, selectionKey(name, tile), ids)
    tiles[tile] = { sha256: sha256(ids.join('\n')), objects: ids.length }
  }
  const made: SelectIndex = { tiles, dropped: sortedCounts(dropped), tags: sortedTable(outcomes) }
  await putJson(storage, selectIndexKey(name), made)
  return name
}

/** What the fetcher has to know of an object; only for objects with a groundable tag. */
export function focusOf(object: OsmObject, captioner: Captioner): FocusObject {
  const maxGsd = captioner.maxGsd(object.tags)
  if (maxGsd === null) throw new TypeError(`${object.id} has no groundable tag, so it should not have been extracted.`)
  const { id, geometry, timestamp } = object
  return { id, geometry, maxGsd, edited: timestamp === null ? null : Date.parse(timestamp) }
}

/** `key=value` of the tags that can be seen. */
export function groundableTags({ tags }: OsmObject, captioner: Captioner): string[] {
  return Object.entries(tags)
    .filter(([key, value]) => captioner.groundability(key, value).groundable)
    .map(([key, value]) => `${key}=${value}`)
}

function entryOf(object: OsmObject, tile: string, captioner: Captioner): Entry {
  const { id, geometry } = object
  return { id, tile, cell: cellAt(boxCenter(boxOf(geometry))), tags: groundableTags(object, captioner) }
}

function without(entries: readonly Entry[], kept: readonly Entry[]): Entry[] {
  const left = new Set(kept)
  return entries.filter((entry) => !left.has(entry))
}

function cellAt([longitude, latitude]: Position): string {
  return `${Math.floor((longitude + 180) * CELLS_PER_DEGREE)}_${Math.floor((latitude + 90) * CELLS_PER_DEGREE)}`
}

function tagCounts(entries: readonly Entry[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { tags } of entries) for (const tag of tags) count(counts, tag)
  return counts
}

/** Every object of `cells` random cells among those that hold objects, and every object with a tag rare in those. */
export function sampleCells(entries: readonly Entry[], cells: number, rareTagsBelow: number, seed: number): Entry[] {
  const drawn = [...new Set(entries.map((entry) => entry.cell))]
    .map((cell) => ({ cell, draw: seededFraction(seed, 'cell', cell) }))
    .sort((a, b) => a.draw - b.draw || (a.cell < b.cell ? -1 : 1))
  const taken = new Set(drawn.slice(0, cells).map(({ cell }) => cell))
  const inCells = tagCounts(entries.filter((entry) => taken.has(entry.cell)))
  return entries.filter(
    (entry) => taken.has(entry.cell) || entry.tags.some((tag) => (inCells.get(tag) ?? 0) < rareTagsBelow),
  )
}

/**
 * At most `limit` objects for each tag. Objects whose rarest tag is rarest come first, so that a common tag which comes
 * with a rare one doesn't use up its places on objects that have nothing else; among equals the seed decides.
 */
export function capPerTag(entries: readonly Entry[], limit: number, seed: number): Entry[] {
  const frequency = tagCounts(entries)
  const ranked = entries
    .map((entry) => ({
      entry,
      rarest: Math.min(...entry.tags.map((tag) => frequency.get(tag) ?? 0)),
      draw: seededFraction(seed, 'max-per-tag', entry.id),
    }))
    .sort((a, b) => a.rarest - b.rarest || a.draw - b.draw || (a.entry.id < b.entry.id ? -1 : 1))
  const used = new Map<string, number>()
  const kept: Entry[] = []
  for (const { entry } of ranked) {
    if (entry.tags.some((tag) => (used.get(tag) ?? 0) >= limit)) continue
    for (const tag of entry.tags) count(used, tag)
    kept.push(entry)
  }
  return kept
}
