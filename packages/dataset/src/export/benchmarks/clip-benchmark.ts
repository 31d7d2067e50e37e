import { basename } from 'node:path/posix'
import { plain } from '../../markdown.ts'
import { TAR_END } from '../tar.ts'
import { type Sample, sampleOf, tarShards } from '../tar-shards.ts'
import { type LayoutContext, type LayoutFile, linesOf, type SetLayout } from './layout.ts'
import { type OpenSet, type SetRow, viewsOf } from './sets.ts'

/** What the original's retrieval takes, and `evaluate` by default. */
const CAPTION = 'title_multi_objects'
/** Everything at which Python's `str.splitlines` ends a line. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const LINE_ENDS = /[\n\r\v\f\u001c-\u001e\u0085\u2028\u2029]+/g

const onOneLine = (text: string) => text.replace(LINE_ENDS, ' ').trim()

/**
 * CLIP_benchmark's webdatasets (`build_wds_dataset` in clip_benchmark/datasets/builder.py), a folder for each column of labels:
 * `classnames.txt`, `zeroshot_classification_templates.txt`, and below `train/` (for a linear probe) and `test/` the number of shards
 * and the shards `0.tar`, ... with a `.jpg` and a `.cls`, the place of the class in the list, of each image. Retrieval has `dataset_type.txt` and a `.txt` with
 * the image's captions, one a line.
 */
export const clipBenchmark: SetLayout = {
  name: 'clip-benchmark',
  refusal: () => null,
  foldersOf: (set) => (set.record.task === 'retrieval' ? [set.record.name] : viewsOf(set).map(({ name }) => name)),
  files: (set, context) => (set.record.task === 'retrieval' ? retrieval(set, context) : classification(set, context)),
  readme: (name) => `# Benchmark sets of ${plain(name)}

Webdatasets that [CLIP_benchmark](https://github.com/LAION-AI/CLIP_benchmark) reads, a folder for each set:

\`\`\`sh
clip_benchmark eval --dataset wds/SkyScript_cls --dataset_root "./{dataset}" --task zeroshot_classification \\
  --model ViT-L-14 --pretrained openai
clip_benchmark eval --dataset wds/SkyScript_retrieval --dataset_root "./{dataset}" --task zeroshot_retrieval \\
  --recall_k 1 5 10 100 --model ViT-L-14 --pretrained openai
\`\`\`

Name the task: CLIP_benchmark takes a set that it does not know for classification. It counts each caption as a text of its own image
only, also where another image has the same one, so its recalls are lower than those of \`skyscript evaluate\`. A set with a second column
of labels has a second folder, such as \`roof_shape_v2\`.

\`test/\` has the set. \`train/\` has training images of the dataset that show the same classes by the same tags, 100 of a class at most,
for \`--task linear_probe\`; it is empty if there are none.

Licences and the notices to pass on: \`ATTRIBUTION.md\`.
`,
}

async function* classification(set: OpenSet, context: LayoutContext): AsyncGenerator<LayoutFile> {
  const training = viewsOf({ record: set.record, rows: set.training })
  for (const [i, { name, classes, rows }] of viewsOf(set).entries()) {
    yield { path: `${name}/classnames.txt`, content: linesOf(classes.map(onOneLine)) }
    yield { path: `${name}/zeroshot_classification_templates.txt`, content: linesOf(context.prompts.map(templateOf)) }
    const parts = [
      ['train', training[i]!.rows],
      ['test', rows],
    ] as const
    for (const [part, labelled] of parts) {
      if (labelled.length === 0) context.note(`${name}/${part} is empty: no ${part} image shows one of the classes`)
      const labels = new Map(labelled.map(({ row, label }) => [row.filepath, label]))
      const memberOf = ({ filepath }: SetRow): Member => ['cls', String(labels.get(filepath)!)]
      const images = labelled.map(({ row }) => row)
      yield* shardsOf(`${name}/${part}`, images, memberOf, context)
    }
  }
}

/** CLIP_benchmark fills `{c}` by Python's `str.format`, to which other braces mean something too. */
const templateOf = (prompt: string) =>
  onOneLine(
    prompt
      .split('{c}')
      .map((part) => part.replace(/[{}]/g, '$&$&'))
      .join('{c}'),
  )

async function* retrieval({ record: { name }, rows }: OpenSet, context: LayoutContext): AsyncGenerator<LayoutFile> {
  yield { path: `${name}/dataset_type.txt`, content: 'retrieval\n' }
  const byImage = Map.groupBy(rows, ({ filepath }) => filepath)
  const captions = ({ filepath }: SetRow): Member => {
    const all = byImage.get(filepath)!.map(({ fields }) => onOneLine(fields[CAPTION] ?? fields.title ?? ''))
    return ['txt', [...new Set(all)].join('\n')]
  }
  yield* shardsOf(
    `${name}/test`,
    [...byImage.values()].map(([row]) => row!),
    captions,
    context,
  )
}

/** What a sample has beside its image: an extension and a text. */
type Member = readonly [extension: string, text: string]

async function* shardsOf(
  folder: string,
  rows: readonly SetRow[],
  memberOf: (row: SetRow) => Member,
  { images, shardBytes, signal }: LayoutContext,
): AsyncGenerator<LayoutFile> {
  const samples = async function* (): AsyncGenerator<Sample> {
    for await (const { row, image } of images(rows)) {
      const key = basename(row.filepath, '.jpg')
      const [extension, text] = memberOf(row)
      yield sampleOf([
        [`${key}.jpg`, image],
        [`${key}.${extension}`, Buffer.from(text)],
      ])
    }
  }
  let count = 0
  for await (const { pieces } of tarShards(samples(), { shardBytes, signal }))
    yield { path: `${folder}/${count++}.tar`, content: pieces }
  // CLIP_benchmark opens a part with an empty shard, and none without shards.
  if (count === 0) yield { path: `${folder}/${count++}.tar`, content: TAR_END }
  yield { path: `${folder}/nshards.txt`, content: `${count}\n` }
}
