/**
 * Changes of the map: an extract and change files, listed or published by its server, become an updated map in the user's
 * cache, which is read in the extract's place.
 */
import { AUTO_CHANGES, type Config, OutdatedError } from '@skyscript/core'
import { readHeader } from '@skyscript/osm-extract'
import type { SourceFile } from '../source-file.ts'
import { asCacheFault } from '../url-cache.ts'
import { applyFiles, type ChangeFileOptions, openChangeFiles } from './change-files.ts'
import { type BaseMap, followServer } from './follow-server.ts'
import { type MapUpdate, openUpdatedMaps, type UpdatedMaps } from './updated-maps.ts'

/** Opens an extract; with `keep`, takes the cache's copy of a URL without asking the URL for a newer one. */
type Open = (how: { readonly keep: boolean }) => Promise<SourceFile>

/** Changes of the settings, ready to be applied to extracts. */
export interface Changes {
  /** The extract with the changes applied to it. */
  update(open: Open): Promise<SourceFile>
  release(): Promise<void>
}

/** @throws as `openChangeFiles` */
export async function openChanges(
  setting: NonNullable<Config['osm']['changes']>,
  options: ChangeFileOptions,
): Promise<Changes> {
  if (setting === AUTO_CHANGES) return { update: (open) => followFrom(open, options), release: async () => {} }
  const { files, release } = await openChangeFiles(typeof setting === 'string' ? [setting] : setting, options)
  return {
    update: async (open) =>
      updated(await open({ keep: false }), options, (base, maps) => applyFiles(base, files, maps, options)),
    release,
  }
}

async function followFrom(open: Open, options: ChangeFileOptions) {
  const follow = (file: SourceFile) => updated(file, options, (base, maps) => followServer(base, maps, options))
  const kept = await open({ keep: true })
  try {
    return await follow(kept)
  } catch (error) {
    if (!(error instanceof OutdatedError)) throw error
    // The URL may have a newer extract than the cache.
    const newer = await open({ keep: false })
    if (newer.sha256 === kept.sha256) throw error
    return follow(newer)
  }
}

async function updated(
  file: SourceFile,
  { cacheFolder, terminal }: ChangeFileOptions,
  update: (base: BaseMap, maps: UpdatedMaps) => Promise<MapUpdate>,
): Promise<SourceFile> {
  try {
    if (readHeader(file.path).box === null)
      terminal?.note(`The header of ${file.source} has no box, so changes from anywhere are applied`)
    const maps = await openUpdatedMaps(cacheFolder, file.sha256)
    const made = await update({ name: file.source, path: file.path, sha256: file.sha256 }, maps)
    await maps.tidy(made.map)
    const own = { updated: { ...made, extract: file.sha256 }, release: async () => {} }
    if (made.map === null) return { ...file, ...own }
    const { path, identity } = made.map
    return {
      ...{ source: file.source, path, bytes: file.bytes, sha256: identity },
      ...own,
      discard: () => maps.discard(identity),
    }
  } catch (error) {
    throw asCacheFault(error, cacheFolder)
  }
}
