import { basename } from 'node:path/posix'
import type { SchemaElement } from 'hyparquet'
import { ByteWriter, ParquetWriter } from 'hyparquet-writer'
import { PROMPTS_FILE } from '../../benchmarks/index.ts'
import { plain } from '../../markdown.ts'
import { frontMatter } from '../card.ts'
import { type LayoutContext, linesOf, type SetLayout } from './layout.ts'
import type { OpenSet, SetRow } from './sets.ts'

/** A row group, which is held in memory, ends with these many rows or bytes of images. */
const GROUP_ROWS = 1000
const GROUP_BYTES = 16_000_000

const SHARD = 'test-00000-of-00001.parquet'

/**
 * A repository of Hugging Face's `datasets`: a configuration for each set, whose split `test` is a Parquet file with the images in
 * it. The file's metadata has the types, among them a ClassLabel with the names for each column of labels, in the form that `datasets` writes
 * (`datasets.arrow_writer`, key `huggingface`).
 */
export const huggingFace: SetLayout = {
  name: 'hugging-face',
  refusal: () => null,
  foldersOf: (set) => [set.record.name],
  async *files(set, context) {
    const { name } = set.record
    if (set.record.task === 'classification')
      yield { path: `${name}/${PROMPTS_FILE}`, content: linesOf(context.prompts) }
    yield { path: `${name}/${SHARD}`, content: parquetOf(set, context) }
  },
  readme(name, paths) {
    const sets = paths.filter((path) => path.endsWith(`/${SHARD}`)).map((path) => path.slice(0, -`/${SHARD}`.length))
    const configs = sets.sort().map((set) => ({
      config_name: set,
      data_files: [{ split: 'test', path: `${set}/${SHARD}` }],
    }))
    const classified = sets.filter((set) => paths.includes(`${set}/${PROMPTS_FILE}`))
    const example = classified.find((set) => set === 'SkyScript_cls') ?? classified[0] ?? sets[0]!
    return `${frontMatter(`Benchmark sets of ${name}`, null, { configs })}

# Benchmark sets of ${plain(name)}

A configuration for each set:

\`\`\`python
from datasets import load_dataset

images = load_dataset(".", "${example}", split="test")
images.features    # a ClassLabel with the names of the classes: label, or label_v1 and label_v2; captions in title
images[0]["image"], images[0]["title"]
\`\`\`

\`prompts.txt\` has the prompts of a set, with \`{c}\` for the class. Licence and credit of every image are in its row, the notices to
pass on in \`ATTRIBUTION.md\`.
`
  },
}

/** A column: its type in Parquet and for `datasets`, and its value. */
interface Column {
  readonly name: string
  readonly schema: Omit<SchemaElement, 'name'>
  readonly feature: object
  readonly value: (row: SetRow) => unknown
}

const TEXT = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const

function columnsOf({ record, columns }: OpenSet): Column[] {
  const text = (name: string, value: (row: SetRow) => unknown): Column => ({
    ...{ name, value, schema: { ...TEXT, repetition_type: 'OPTIONAL' } },
    feature: { dtype: 'string', _type: 'Value' },
  })
  const labels = record.labels.map(({ column, classes }): Column => {
    const names = classes.map(({ name }) => name)
    const places = new Map(names.map((name, place) => [name, BigInt(place)]))
    return {
      name: column,
      // An image may have no label in one of the columns.
      schema: { type: 'INT64', repetition_type: 'OPTIONAL' },
      feature: { names, _type: 'ClassLabel' },
      value: ({ fields }) => places.get(fields[column] ?? '') ?? null,
    }
  })
  const others = columns.filter((name) => name !== 'filepath' && !record.labels.some(({ column }) => column === name))
  return [
    ...labels,
    ...others.map((name) => text(name, ({ fields }) => fields[name])),
    text('filepath', ({ filepath }) => filepath),
    text('source', ({ source }) => source),
    {
      ...{ name: 'gsd', value: ({ gsd }) => gsd, schema: { type: 'DOUBLE', repetition_type: 'OPTIONAL' } },
      feature: { dtype: 'float64', _type: 'Value' },
    },
    text('licence', ({ licence }) => licence),
    text('credit', ({ credit }) => credit),
  ]
}

/** The struct that `datasets` has for an image. */
const IMAGE: SchemaElement[] = [
  { name: 'image', repetition_type: 'OPTIONAL', num_children: 2 },
  { name: 'bytes', type: 'BYTE_ARRAY', repetition_type: 'OPTIONAL' },
  { name: 'path', ...TEXT, repetition_type: 'OPTIONAL' },
]

async function* parquetOf(set: OpenSet, { images }: LayoutContext): AsyncGenerator<Uint8Array> {
  const columns = columnsOf(set)
  const features = Object.fromEntries([
    ['image', { _type: 'Image' }],
    ...columns.map(({ name, feature }) => [name, feature] as const),
  ])
  const writer = new ByteWriter()
  const parquet = new ParquetWriter({
    writer,
    schema: [
      { name: 'schema', num_children: columns.length + 1 },
      ...IMAGE,
      ...columns.map(({ name, schema }) => ({ name, ...schema })),
    ],
    kvMetadata: [{ key: 'huggingface', value: JSON.stringify({ info: { features } }) }],
    createdBy: 'skyscript',
  })
  /** What was written so far; `offset` counts the whole file, `index` the buffer. */
  const drain = () => {
    const piece = writer.getBytes().slice()
    writer.index = 0
    return piece
  }
  let group: { readonly row: SetRow; readonly image: Uint8Array }[] = []
  let bytes = 0
  const flush = async () => {
    // JPEGs don't shrink, and nobody looks for the lowest one.
    const pictures = group.map(({ row, image }) => ({ bytes: image, path: basename(row.filepath) }))
    const plainImage = { name: 'image', data: pictures, codec: 'UNCOMPRESSED', statistics: false } as const
    const columnData = columns.map(({ name, value }) => ({ name, data: group.map(({ row }) => value(row)) }))
    await parquet.write({ columnData: [plainImage, ...columnData], rowGroupSize: GROUP_ROWS })
    group = []
    bytes = 0
    return drain()
  }
  for await (const each of images(set.rows)) {
    group.push(each)
    bytes += each.image.length
    if (group.length === GROUP_ROWS || bytes >= GROUP_BYTES) yield await flush()
  }
  if (group.length > 0) yield await flush()
  await parquet.finish()
  yield drain()
}
