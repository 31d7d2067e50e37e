import type { Style, TagRow } from '@skyscript/captioner'
import type { Box, Config, SourceAlias } from '@skyscript/core'
import { type Source, sourcesOf } from '@skyscript/gee-fetch'

/**
 * What every job of a run needs to know, stored under `runKey` so that a worker anywhere can read it. It holds no
 * secret: the queue's URL stays with the process that was given it, credentials are named by path, and addresses have
 * lost their logins and queries.
 */
export interface Run {
  readonly config: Omit<Config, 'queue' | 'output'>
  /** Fingerprints of the extract and of the selection that the run works on. */
  readonly extract: string
  readonly select: string
  readonly tables: CaptionTables
  /** Versions of the files that sources list, by alias. */
  readonly files: Readonly<Record<string, string>>
}

/** What captions are made by beside the settings: the texts of the files that these name, so that workers need not have them. */
export interface CaptionTables {
  readonly tags: string | null
  readonly rules: string | null
  /** In the order of `captions.templates`. */
  readonly styles: readonly Style[]
  /** What the classifier said of the extracts' tags that no table knows; null without one. */
  readonly learned: { readonly rows: readonly TagRow[]; readonly classifier: string } | null
}

/**
 * Of what the coordinator does itself; stages have theirs in their own files. Raised when the code makes other results of
 * the same input, so that results of older code are redone.
 */
export const VERSIONS = { learn: 1, extract: 6, select: 3, assemble: 9 } as const

/** What a classifier said of the undecided tags of some extracts. */
export const learnedKey = (classifier: string, inputs: string): string => `work/tags/${classifier}/${inputs}.json`
export const extractIndexKey = (extract: string): string => `work/extract/${extract}/index.json`
export const tileKey = (extract: string, tile: string): string => `work/extract/${extract}/tiles/${tile}.geojsonl.gz`
/** The line of an object that is stored once, outside of the map tiles that it meets. */
export const wideKey = (extract: string, id: string): string => `work/extract/${extract}/wide/${id}.geojsonl.gz`
export const selectIndexKey = (select: string): string => `work/select/${select}/index.json`
export const selectionKey = (select: string, tile: string): string => `work/select/${select}/tiles/${tile}.json`
/** The planned images of one leaf, named by their own content. */
export const requestsKey = (leaf: string, content: string): string => `work/requests/${leaf}.${content}.json`

/** `work/extract/<fingerprint>/index.json`: what was read from the OSM extracts. */
export interface ExtractIndex {
  readonly inputs: readonly {
    readonly name: string
    readonly bytes: number
    readonly sha256: string
    /**
     * From the file's header: the last change of the map that it includes, and its bounding box. Of a history file the
     * date is `osm.at`, and no sequence number is that of the map.
     */
    readonly replicationTimestamp: string | null
    readonly replicationSequence: number | null
    readonly box: Box | null
    /** Change files that were applied to it, and the running hash over them; the times above are those after them. */
    readonly changes?: { readonly files: number; readonly sha256: string }
  }[]
  /** With `osm.at`: when the last edit was made that the files have; null where they have no timestamps. */
  readonly newestEdit?: string | null
  readonly tiles: Readonly<Record<string, ExtractTile>>
  /** Wide objects by id: the map tile that each belongs to, and the bytes of its line. */
  readonly wide?: Readonly<Record<string, { readonly home: string; readonly bytes: number }>>
  /** Tagged objects that were read, and those that stop here by reason. */
  readonly tagged: number
  readonly dropped: Readonly<Record<string, number>>
}

export interface ExtractTile {
  /** Of the contents of all objects that touch it: ids, geometries and tags. */
  readonly sha256: string
  /** Of their versions and timestamps. */
  readonly edits: string
  /** The same of the objects that can be seen, from which imagery is drawn, where there are others too; null: of none. */
  readonly drawn?: string | null
  /** Objects that touch it. */
  readonly touching: number
  /** Objects whose centre is in it. */
  readonly objects: number
  /** Ids of the wide objects that meet it, sorted: they are among those that touch it, and have files of their own. */
  readonly wide?: readonly string[]
}

/** Whether a tile has a file of lines: where only wide objects meet it, it has none. */
export const hasLines = ({ touching, wide = [] }: ExtractTile): boolean => touching > wide.length

/** Hash of what imagery of a map tile is drawn from; null for nothing. */
export const drawnHash = (tile: ExtractTile | undefined): string | null =>
  tile === undefined || tile.drawn === null ? null : (tile.drawn ?? tile.sha256)

/** Numbers of objects with a tag (`key=value`), by outcome: `planned`, or the reason why not. */
export type TagOutcomes = Readonly<Record<string, Readonly<Record<string, number>>>>

/** `work/select/<fingerprint>/index.json`: number of selected objects, by map tile. */
export interface SelectIndex {
  readonly tiles: Readonly<Record<string, { readonly sha256: string; readonly objects: number }>>
  readonly dropped: Readonly<Record<string, number>>
  /** Of the dropped. */
  readonly tags: TagOutcomes
  /** Of the dropped, how many `tiles.coarsen: 8` would keep; missing for none, and where it is set. */
  readonly coarsenable?: number
}

/** Sources as they decide a dataset: how often their hosts are asked changes no image. */
export const decidingSources = (sources: Config['imagery']['sources']) =>
  sources.map((source) => {
    if (typeof source === 'string' || !('requests' in source)) return source
    const { requests: _requests, ...deciding } = source
    return deciding
  })

/** Settings of imagery as they decide a dataset: neither how and when services are asked, nor where sources were looked up. */
export function decidingImagery({
  patience: _patience,
  catalogue: _catalogue,
  contact: _contact,
  cache: _cache,
  refresh: _refresh,
  without: _without,
  ...deciding
}: Config['imagery']) {
  return deciding
}

/** The source of an image, by its alias. */
export function sourceFinder(config: {
  readonly imagery: Pick<Config['imagery'], 'sources'>
}): (alias: SourceAlias) => Source {
  const sources = new Map(sourcesOf(config.imagery.sources).map((source) => [source.alias, source]))
  return (alias) => {
    const source = sources.get(alias)
    if (!source) throw new TypeError(`An image is of ${alias}, which is no source of the settings.`)
    return source
  }
}
