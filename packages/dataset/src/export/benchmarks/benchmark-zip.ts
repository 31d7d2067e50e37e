import { basename } from 'node:path/posix'
import { sha256 } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'
import { BENCHMARK_RECORD, PROMPTS_FILE, setCsv } from '../../benchmarks/index.ts'
import { plain } from '../../markdown.ts'
import { ATTRIBUTION } from '../../names.ts'
import { type ZipEntry, zipFile } from '../zip-file.ts'
import { type LayoutContext, linesOf, type SetLayout } from './layout.ts'
import type { OpenSet } from './sets.ts'

/**
 * A zip file for each set, which unpacks as the original's do: `SkyScript_cls/img_txt_pairs_val.csv`, class lists, and the images
 * in `SkyScript_cls/val/`. Paths in the CSV begin with the set's folder, so its root is the folder in which all sets are unpacked.
 */
export const benchmarkZip: SetLayout = {
  name: 'benchmark-zip',
  refusal: () => null,
  foldersOf: () => [],
  async *files(set, context) {
    yield { path: `${set.record.name}.zip`, content: zipFile(entriesOf(set, context)) }
  },
  readme: (name) => `# Benchmark sets of ${plain(name)}

A zip file for each set, to be unpacked in one folder, which is then the root of their paths:

\`\`\`sh
unzip SkyScript_cls.zip
skyscript evaluate --model <model> --root . --classify SkyScript_cls/img_txt_pairs_val.csv \\
  --classes SkyScript_cls/classnames.txt
\`\`\`

SkyScript's own evaluation code reads them too, with this folder as \`BENCHMARK_DATASET_ROOT_DIR\` and \`--root-data-dir\`.

Licences and the notices to pass on: \`ATTRIBUTION.md\`.
`,
}

async function* entriesOf(set: OpenSet, { images, text }: LayoutContext): AsyncGenerator<ZipEntry> {
  const { record, folder, columns, rows } = set
  const { name } = record
  const csv = setCsv(folder)
  const part = csv.replace(/^img_txt_pairs_(\w+)\.csv$/, '$1')
  const pathOf = (filepath: string) => `${name}/${part}/${basename(filepath)}`
  const table = rows.map(({ filepath, fields }) =>
    columns.map((column) => (column === 'filepath' ? pathOf(filepath) : fields[column]!)),
  )
  const content = stringify([columns as string[], ...table], { record_delimiter: '\n' })
  const entry = (file: string, value: string): ZipEntry => ({ name: `${name}/${file}`, content: Buffer.from(value) })
  yield entry(csv, content)
  for (const { file, classes } of record.labels) yield entry(file, linesOf(classes.map((each) => each.name)))
  const prompts = await text(`${folder}/${PROMPTS_FILE}`)
  if (prompts !== null) yield entry(PROMPTS_FILE, prompts)
  yield entry(BENCHMARK_RECORD, `${JSON.stringify({ ...record, sha256: sha256(content) }, null, 2)}\n`)
  yield entry(ATTRIBUTION, (await text(ATTRIBUTION)) ?? '')
  const once = new Map(rows.map((row) => [row.filepath, row])).values()
  for await (const { row, image } of images(once)) yield { name: pathOf(row.filepath), content: image }
}
