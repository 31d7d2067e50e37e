import { getJson, putJson, type Storage } from '@skyscript/core'
import { getWhole } from './results.ts'
import { selectionKey, type TagOutcomes } from './run.ts'

/** What was chosen in a map tile, where neither samples nor caps make tiles depend on each other. */
export interface TileSelection {
  readonly ids: string[]
  readonly dropped: Readonly<Record<string, number>>
  readonly tags: TagOutcomes
  readonly coarsenable: number
}

/** As it is stored: the ids have a file of their own. */
interface Stored extends Omit<TileSelection, 'ids'> {
  /** Hash of the tile's objects. */
  readonly tile: string
  readonly objects: number
}

/** Selections of map tiles that an earlier selection with the same settings made, so that a change of the map redoes few. */
export interface TileSelections {
  /** Null if the tile had other objects, or was not there. */
  find(tile: string, hash: string): Promise<TileSelection | null>
  /** For later selections. */
  note(tile: string, hash: string, made: TileSelection): Promise<void>
}

const noteKey = (name: string, settings: string, tile: string) =>
  `work/select/${name}/by-tile/${settings}/${tile}.jsonl`

/**
 * @param name of the selection that is made
 * @param settings fingerprint of all that decides it but the map
 * @param existing keys in storage
 */
export function openTileSelections(
  storage: Storage,
  name: string,
  settings: string,
  existing: ReadonlySet<string>,
): TileSelections {
  const suffix = `/by-tile/${settings}/`
  const keys = existing.keys().filter((key) => key.startsWith('work/select/') && key.includes(suffix))
  const names = new Set(keys.map((key) => key.split('/')[2]!))
  return {
    async find(tile, hash) {
      for (const earlier of names) {
        const key = noteKey(earlier, settings, tile)
        const stored = existing.has(key) ? await getWhole<Stored>(storage, key) : null
        if (stored?.tile !== hash) continue
        const ids = stored.objects === 0 ? [] : await getJson<string[]>(storage, selectionKey(earlier, tile))
        if (ids?.length === stored.objects) return { ...stored, ids }
      }
      return null
    },
    async note(tile, hash, { ids, dropped, tags, coarsenable }) {
      const stored: Stored = { tile: hash, objects: ids.length, dropped, tags, coarsenable }
      await putJson(storage, noteKey(name, settings, tile), stored)
    },
  }
}
