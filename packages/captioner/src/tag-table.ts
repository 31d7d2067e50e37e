import { InputError, parseCsv } from '@skyscript/core'

/** Classes of maximum ground sampling distance in m/pixel (paper, section "Tag classification"). */
export const GSD_CLASSES = [0.1, 0.2, 0.6, 1, 10] as const

/** A tag and what was judged of it. */
export interface TagRow {
  readonly key: string
  readonly value: string
  /** The coarsest GSD in m/pixel at which the tag can be seen, one of `GSD_CLASSES`; null: never. */
  readonly maxGsd: number | null
  /** One word; empty where the table has none. */
  readonly reason: string
}

/**
 * Reads a CSV table of judged tags: `key,value,max_gsd` and, if it likes, `groundable` (yes or no) and `reason`, in any
 * order; an empty `max_gsd` is never. Other columns are passed over.
 *
 * @param name how messages name the table
 * @throws InputError `bad-tag-table` that names the line
 */
export function parseTagTable(text: string, name: string): TagRow[] {
  const fault = (what: string) => new InputError('bad-tag-table', `${name}${what}`)
  const { columns, rows } = parseCsv(text, name, 'bad-tag-table')
  const place = (column: string) => columns.indexOf(column)
  const [key, value, gsd] = ['key', 'value', 'max_gsd'].map(place) as [number, number, number]
  if (key === -1 || value === -1 || gsd === -1) {
    throw fault(' must be a CSV file whose first line is key,value,max_gsd.')
  }
  const [groundable, reason] = [place('groundable'), place('reason')]
  return rows.map(({ line, fields }) => {
    const [ofKey, ofValue, ofGsd] = [fields[key], fields[value], fields[gsd]?.trim()]
    const maxGsd = ofGsd === '' ? null : Number(ofGsd)
    const isClass = maxGsd === null || (GSD_CLASSES as readonly number[]).includes(maxGsd)
    if (!ofKey || !ofValue || !isClass) {
      const classes = GSD_CLASSES.join(', ')
      throw fault(`, line ${line}: must be key,value,max_gsd with max_gsd one of ${classes} or empty for never.`)
    }
    const said = fields[groundable]
    if (said && said !== (maxGsd === null ? 'no' : 'yes')) {
      throw fault(`, line ${line}: groundable is "${said}", which max_gsd "${ofGsd}" contradicts.`)
    }
    return { key: ofKey, value: ofValue, maxGsd, reason: fields[reason] ?? '' }
  })
}
