import type { Tags } from '@skyscript/core'
import type { ManifestFile } from '../manifest-file.ts'

/** What is shown of a pair as an example. */
export interface Details {
  readonly id: string
  readonly filepath: string
  readonly source: string
  /** `2021-06-03`; null where the source has no time. */
  readonly date: string | null
  readonly tags: Tags
  readonly title: string
  readonly multi: string
  readonly split: string
}

/** Details of some pairs, by id. Of a row group with none of them, only the ids are read. */
export async function readDetails(manifest: ManifestFile, ids: ReadonlySet<string>): Promise<Map<string, Details>> {
  const found = new Map<string, Details>()
  const columns = ['filepath', 'source', 'time', 'center_tags', 'title', 'title_multi_objects', 'split']
  for (const group of manifest.groups.keys()) {
    if (found.size === ids.size) break
    const { id } = (await manifest.readGroup(group, ['id'])) as { id: string[] }
    const rows = [...id.keys()].filter((row) => ids.has(id[row]!))
    if (rows.length === 0) continue
    const values = await manifest.readGroup(group, columns)
    for (const row of rows) {
      const text = (column: string) => String(values[column]![row])
      const time = values.time![row] as Date | null
      found.set(id[row]!, {
        ...{ id: id[row]!, filepath: text('filepath'), source: text('source') },
        date: time?.toISOString().slice(0, 10) ?? null,
        tags: JSON.parse(text('center_tags')) as Tags,
        ...{ title: text('title'), multi: text('title_multi_objects'), split: text('split') },
      })
    }
  }
  return found
}
