import { basename } from 'node:path'
import type { LocalFile } from '@skyscript/dataset'
import type { PbfHeader } from '@skyscript/osm-extract'
import type { MapUpdate } from './map-changes/updated-maps.ts'
import type { ExtractIndex } from './run.ts'

/** A file on this machine's disk, downloaded if it was elsewhere. */
export interface ExtractFile extends LocalFile {
  /** As the config names it, without logins and queries. */
  readonly source: string
  /** Where it is known already. */
  readonly sha256?: string
  /** Of the cache: see that the next build downloads it anew. */
  discard?(): Promise<void>
}

/** An OSM extract of the settings, as it is or with changes applied. */
export interface SourceFile extends ExtractFile {
  /** Of the extract. */
  readonly bytes: number
  /** Of the extract, and of the changes that were applied to it. */
  readonly sha256: string
  /** Where `osm.changes` are set: what they made of the extract, whose own sha256 is `extract`. */
  readonly updated?: MapUpdate & { readonly extract: string }
}

/** What the extract's index and the lock say of a file. */
export function inputOf(
  { source, bytes, sha256, updated }: SourceFile,
  { replicationTimestamp, replicationSequence, box }: PbfHeader,
): ExtractIndex['inputs'][number] {
  const map = updated?.map ?? null
  const name = basename(source)
  if (map === null) return { name, bytes, sha256, replicationTimestamp, replicationSequence, box }
  return {
    ...{ name, bytes, sha256: updated!.extract },
    replicationTimestamp: map.timestamp,
    replicationSequence: map.sequence,
    box,
    changes: { files: map.files, sha256: map.identity },
  }
}
