import type { Box, Config } from '@skyscript/core'
import { csvFields } from './csv-files.ts'
import { hashOf } from './groups.ts'
import { SIMILARITY } from './manifest.ts'
import type { ManifestFile } from './manifest-file.ts'
import { encodeId, fromMicro, toMicro } from './pair-table.ts'
import { PARTS, type Splitter } from './splits.ts'

/** What a cut wants to know of the pairs. */
export interface SurveySettings {
  readonly scorers: readonly string[]
  readonly split: Config['filter']['split']
  readonly seed: number
  readonly tags: boolean
  readonly titles: boolean
  readonly hashes: boolean
}

/** What ranking and splitting need of the pairs of one row group, by row. */
export interface GroupSurvey {
  /** See `encodeId`. */
  readonly ids: Float64Array<ArrayBuffer>
  /** By scorer: millionths. */
  readonly similarities: readonly Int32Array<ArrayBuffer>[]
  /** Places in PARTS. */
  readonly parts: Uint8Array<ArrayBuffer>
  /** Of the focus object, as JSON. */
  readonly tags: readonly string[] | null
  /** See `hashOf`. */
  readonly titles: Float64Array<ArrayBuffer> | null
  /** Perceptual hashes, 16 hex digits. */
  readonly hashes: readonly string[] | null
}

export async function surveyGroup(
  manifest: ManifestFile,
  group: number,
  settings: SurveySettings,
  partOf: Splitter,
): Promise<GroupSurvey> {
  const { scorers } = settings
  const columns = await manifest.readGroup(group, [
    ...['id', 'west', 'south', 'east', 'north'],
    ...scorers.map((scorer) => SIMILARITY + scorer),
    ...(settings.tags ? ['center_tags'] : []),
    ...(settings.titles ? ['title'] : []),
    ...(settings.hashes ? ['phash'] : []),
  ])
  const ids = columns.id as readonly string[]
  const [west, south, east, north] = ['west', 'south', 'east', 'north'].map((name) => columns[name] as number[])
  const parts = new Uint8Array(ids.length)
  for (let row = 0; row < ids.length; row++) {
    const box: Box = [west![row]!, south![row]!, east![row]!, north![row]!]
    parts[row] = PARTS.indexOf(partOf(ids[row]!, box))
  }
  return {
    ids: Float64Array.from(ids, encodeId),
    similarities: scorers.map((scorer) => Int32Array.from(columns[SIMILARITY + scorer] as number[], toMicro)),
    parts,
    tags: settings.tags ? (columns.center_tags as string[]) : null,
    titles: settings.titles ? Float64Array.from(columns.title as string[], hashOf) : null,
    hashes: settings.hashes ? (columns.phash as string[]) : null,
  }
}

/** One CSV as far as its text depends on it. */
export interface FileRows {
  /** By row: 1 where the pair is in the file. */
  readonly members: Uint8Array
  /**
   * `pairs`: one row a pair, with the similarities in millionths by row. `captions`: one row for each caption of an image.
   * `matches`: the image of a benchmark that the pair's looks like, by its place among `names`.
   */
  readonly of:
    | { readonly kind: 'pairs'; readonly similarities: Int32Array }
    | { readonly kind: 'captions' }
    | { readonly kind: 'matches'; readonly matches: Int32Array; readonly names: readonly string[] }
}

/** The rows of one row group in one CSV. */
export interface GroupText {
  readonly text: Uint8Array<ArrayBuffer>
  readonly rows: number
}

export async function formatGroup(
  manifest: ManifestFile,
  group: number,
  files: readonly FileRows[],
): Promise<GroupText[]> {
  const texts = ['filepath', 'title', 'title_multi_objects']
  const withMore = files.some(({ of }) => of.kind === 'captions')
  const columns = await manifest.readGroup(group, withMore ? [...texts, 'more_captions'] : texts)
  const [filepath, title, multi] = texts.map((name) => columns[name] as string[])
  const { from } = manifest.groups[group]!
  const fields = filepath!.map((path, i) => csvFields([path, title![i]!, multi![i]!]))
  return files.map(({ members, of }) => {
    let text = ''
    let rows = 0
    for (let i = 0; i < fields.length; i++) {
      if (members[from + i] !== 1) continue
      if (of.kind === 'pairs') {
        text += `${fields[i]},${fromMicro(of.similarities[from + i]!)}\n`
        rows++
      } else if (of.kind === 'matches') {
        text += `${csvFields([filepath![i]!, of.names[of.matches[from + i]!]!])}\n`
        rows++
      } else {
        const more = JSON.parse((columns.more_captions as string[])[i]!) as string[]
        for (const caption of new Set([title![i]!, multi![i]!, ...more])) {
          text += `${csvFields([filepath![i]!, caption])}\n`
          rows++
        }
      }
    }
    return { text: new TextEncoder().encode(text), rows }
  })
}
