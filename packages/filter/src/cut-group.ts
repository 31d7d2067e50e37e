import { type Box, decodeId, encodeId } from '@skyscript/core'
import type { ManifestFile } from '@skyscript/dataset'
import { SIMILARITY } from '@skyscript/dataset'
import { type CsvText, createCsvText } from './csv-text.ts'
import { hashOf } from './groups.ts'
import type { GroupSurvey } from './pair-table.ts'
import { fromMicro, toMicro } from './pair-table.ts'
import { PARTS, type Splitter } from './splits/criterion.ts'
import type { Layout } from './splits/index.ts'

/** Which data of the pairs a cut needs. */
export interface SurveySettings {
  readonly scorers: readonly string[]
  readonly layout: Layout
  readonly seed: number
  /** Columns of the manifest that limits need. */
  readonly columns: readonly string[]
  readonly titles: boolean
  readonly hashes: boolean
}

export async function surveyGroup(
  manifest: ManifestFile,
  group: number,
  settings: SurveySettings,
  partOf: Splitter,
): Promise<GroupSurvey> {
  const { scorers } = settings
  const wanted = new Set([
    ...['id', 'west', 'south', 'east', 'north'],
    ...scorers.map((scorer) => SIMILARITY + scorer),
    ...settings.columns,
    ...(settings.titles ? ['title'] : []),
    ...(settings.hashes ? ['phash'] : []),
  ])
  const columns = await manifest.readGroup(group, [...wanted])
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
    columns: Object.fromEntries(settings.columns.map((name) => [name, columns[name]!])),
    titles: settings.titles ? Float64Array.from(columns.title as string[], hashOf) : null,
    hashes: settings.hashes ? (columns.phash as string[]) : null,
  }
}

/** The settings that decide the text of one file of rows. */
export interface FileRows {
  /** By row: 1 if the pair is in the file. */
  readonly members: Uint8Array
  /**
   * `pairs`: one CSV row per pair, with the similarities in millionths by row. `records`: the same as JSON lines, with the
   * name of the similarity. `captions`: one row per caption of an image. `matches`: the benchmark image that resembles the
   * pair's image, by index in `names`. `similar`: the id of the better pair whose image the pair's image looks like, by its row, and
   * the cosine of both.
   */
  readonly of:
    | { readonly kind: 'pairs'; readonly similarities: Int32Array }
    | { readonly kind: 'records'; readonly similarities: Int32Array; readonly column: string }
    | { readonly kind: 'captions' }
    | {
        readonly kind: 'similar'
        readonly like: Int32Array
        readonly codes: Float64Array
        readonly cosines: Float32Array
      }
    | { readonly kind: 'matches'; readonly matches: Int32Array; readonly names: readonly string[] }
}

/** The rows of one row group in one file. */
export interface GroupText {
  readonly text: Uint8Array<ArrayBuffer>
  readonly rows: number
}

/** Bytes per row beyond its texts: commas, quotes and a similarity; for a record also its path and the keys. */
const ROW_BYTES = { csv: 20, records: 200 }
/** Reserve for quotes within texts. */
const ROOM = 4096

export async function formatGroup(
  manifest: ManifestFile,
  group: number,
  files: readonly FileRows[],
): Promise<GroupText[]> {
  const withMore = files.some(({ of }) => of.kind === 'captions')
  const columns = [...['filepath', 'title', 'title_multi_objects'], ...(withMore ? ['more_captions'] : [])]
  const texts = await manifest.readTexts(group, columns)
  const [filepath, title, multi, more] = columns.map((name) => texts[name]!)
  const { from } = manifest.groups[group]!
  const outputs = files.map(({ members, of }) => {
    const each = of.kind === 'records' ? ROW_BYTES.records : ROW_BYTES.csv
    let bytes = ROOM
    for (let i = 0; i < filepath!.length; i++) {
      if (members[from + i] === 1) bytes += filepath![i]!.length + title![i]!.length + multi![i]!.length + each
    }
    return createCsvText(bytes)
  })
  const fields = createCsvText()
  const record = files.some(({ of }) => of.kind === 'records') ? createCsvText() : null
  for (let i = 0; i < filepath!.length; i++) {
    const row = from + i
    fields.clear()
    fields.fields([filepath![i]!, title![i]!, multi![i]!])
    if (record !== null) startRecord(record, filepath![i]!, title![i]!, multi![i]!)
    for (let place = 0; place < files.length; place++) {
      const { members, of } = files[place]!
      if (members[row] !== 1) continue
      const output = outputs[place]!
      if (of.kind === 'pairs') {
        output.text(fields.view)
        output.millionths(of.similarities[row]!)
        output.endRow()
      } else if (of.kind === 'records') {
        output.text(record!.view)
        output.text(Buffer.from(`,"${of.column}":${fromMicro(of.similarities[row]!).toFixed(6)}}`))
        output.endRow()
      } else if (of.kind === 'matches') {
        output.fields([filepath![i]!, Buffer.from(of.names[of.matches[row]!]!)])
        output.endRow()
      } else if (of.kind === 'similar') {
        const other = decodeId(of.codes[of.like[row]!]!)
        output.fields([filepath![i]!, Buffer.from(other), Buffer.from(of.cosines[row]!.toFixed(4))])
        output.endRow()
      } else {
        const captions = [title![i]!, multi![i]!].map((text) => Buffer.from(text).toString())
        const further = JSON.parse(Buffer.from(more![i]!).toString()) as string[]
        for (const caption of new Set([...captions, ...further])) {
          output.fields([filepath![i]!, Buffer.from(caption)])
          output.endRow()
        }
      }
    }
  }
  return outputs.map(({ view, rows }) => ({ text: view, rows }))
}

const RECORD_KEYS = ['{"file_name":', ',"filepath":', ',"title":', ',"title_multi_objects":'].map((key) =>
  Buffer.from(key),
)

/** A record up to its similarity, which is different in each file. */
function startRecord(text: CsvText, filepath: Uint8Array, title: Uint8Array, multi: Uint8Array): void {
  text.clear()
  for (const [i, value] of [filepath, filepath, title, multi].entries()) {
    text.text(RECORD_KEYS[i]!)
    text.json(value)
  }
}
