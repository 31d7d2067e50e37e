import { stringify } from 'yaml'
import { formatCount } from '../terminal/format.ts'
import { printableLine } from '../terminal/printable.ts'
import {
  BIASES,
  CITATION,
  collection,
  description,
  filtering,
  gsdText,
  LIMITATIONS,
  ODBL,
  PAPER,
  PRIVACY,
  rounded,
  spreadText,
  USES,
} from './about.ts'
import type { ExportLock, FinishedDataset, PairSet } from './dataset.ts'
import type { CaptionFacts, Statistics } from './statistics.ts'

export const CARD = 'DATASET_CARD.md'

/** Of the hub's `size_categories`: the first that has more than the pairs. */
const SIZES = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
  [1e8, '10M<n<100M'],
] as const

/** `README.md` of the dataset on Hugging Face, or anywhere: front matter for the hub, then what a user should know. */
export function cardOf({ lock, sets }: FinishedDataset, statistics: Statistics): string {
  const name = plain(lock.config.name)
  return [
    `---\n${stringify(frontMatter(lock, sets, statistics), { lineWidth: 0 })}---`,
    `# ${name}`,
    plain(description(lock, statistics)),
    '## Pairs',
    ...pairSections(statistics),
    '## Captions',
    ...captionSections(statistics),
    '## Sets',
    table(
      ['set', 'file', 'pairs'],
      sets.map((set) => [set.name, `\`${set.csv}\``, formatCount(set.rows)]),
    ),
    ...lock.notes.map((note) => `- ${plain(note)}`),
    '## How to load it',
    ...loading(sets),
    '## How it was made',
    plain(collection(lock)),
    plain(filtering(lock)),
    ...making(lock),
    '## Uses, limits, biases',
    [...USES, ...LIMITATIONS, ...BIASES, PRIVACY].map((line) => `- ${line}`).join('\n'),
    '## Licences and credits',
    ...licences(statistics),
    '## Citation',
    `The dataset is made as the paper describes (${PAPER}):`,
    `\`\`\`bibtex\n${CITATION}\n\`\`\``,
    '',
  ].join('\n\n')
}

function frontMatter({ config }: ExportLock, sets: readonly PairSet[], { pairs }: Statistics): unknown {
  return {
    pretty_name: config.name,
    language: ['en'],
    license: 'other',
    license_name: 'odbl-1.0-and-imagery-licences',
    license_link: 'ATTRIBUTION.md',
    task_categories: ['zero-shot-image-classification', 'image-to-text', 'text-to-image', 'image-feature-extraction'],
    size_categories: [SIZES.find(([more]) => pairs < more)?.[1] ?? '100M<n<1B'],
    tags: ['remote-sensing', 'satellite', 'aerial', 'openstreetmap', 'geospatial', 'clip', 'skyscript'],
    configs: [
      ...configsOf(sets, config.filter.scorers[0]!.name),
      { config_name: 'manifest', data_files: [{ split: 'all', path: 'manifest.parquet' }] },
    ],
  }
}

/** One for each training set, each with the val and test of its scorer; the hub wants splits of a config to be alike. */
function configsOf(sets: readonly PairSet[], first: string): unknown[] {
  return sets
    .filter(({ part }) => part === 'train')
    .map((train) => ({
      config_name: train.name,
      ...(train.scorer === null && { default: true }),
      data_files: [
        { split: 'train', path: train.csv },
        ...sets
          .filter(({ part, scorer, rows }) => part !== 'train' && scorer === (train.scorer ?? first) && rows > 0)
          .map(({ part, csv }) => ({ split: part === 'val' ? 'validation' : part, path: csv })),
      ],
    }))
}

function pairSections({ sources, splits, years, sizes, pairs }: Statistics): string[] {
  const names = [...splits.keys()].sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
  const bySplit = sources.map(({ source, collection: of, gsds, pairs: all }) => [
    plain(source),
    `\`${printableLine(of).replaceAll('`', '')}\``,
    gsdText(gsds),
    formatCount(all),
    ...names.map((split) => formatCount(splits.get(split)?.get(source) ?? 0)),
  ])
  const total = names.map((split) => [...splits.get(split)!.values()].reduce((sum, each) => sum + each, 0))
  return [
    table(
      ['source', 'collection', 'GSD', 'pairs', ...names],
      [...bySplit, ['all', '', '', formatCount(pairs), ...total.map(formatCount)]],
    ),
    'Pairs that are neither train, val nor test are in the manifest and in no CSV.',
    table(
      ['year', 'pairs'],
      [...years].map(([year, each]) => [year, formatCount(each)]),
    ),
    table(
      ['pixels', 'mean', '5 %', 'median', '95 %'],
      [
        ['width', ...spreadText(sizes.width, 0)],
        ['height', ...spreadText(sizes.height, 0)],
      ],
    ),
  ]
}

const ORDER = ['train', 'val', 'test']
const rankOf = (split: string) => (ORDER.includes(split) ? ORDER.indexOf(split) : ORDER.length)

function captionSections({ captions, similarities, tags, distinctTags, pairs }: Statistics): string[] {
  const line = (name: string, { words, longest, distinct, repeated }: CaptionFacts) => [
    `\`${name}\``,
    ...spreadText(words, 0),
    formatCount(longest),
    formatCount(distinct),
    `${rounded(100 * repeated, 1)} %`,
  ]
  const share = (count: number) => `${rounded((100 * count) / Math.max(1, pairs), 1)} %`
  return [
    table(
      ['caption', 'mean words', '5 %', 'median', '95 %', 'longest', 'different', 'pairs that share theirs'],
      [line('title', captions.title), line('title_multi_objects', captions.title_multi_objects)],
    ),
    table(
      ['similarity by', 'mean', '5 %', 'median', '95 %'],
      [...similarities].map(([scorer, spread]) => [plain(scorer), ...spreadText(spread, 3)]),
    ),
    `${formatCount(distinctTags)} different tags describe the objects; the most frequent:`,
    table(
      ['tag', 'pairs', 'share'],
      tags.map(([tag, count]) => [plain(tag), formatCount(count), share(count)]),
    ),
  ]
}

function loading(sets: readonly PairSet[]): string[] {
  const train = sets.find(({ name }) => name === 'train_unfiltered') ?? sets[0]
  const csv = train?.csv ?? ''
  return [
    `\`\`\`python
import pandas as pd
from PIL import Image

pairs = pd.read_csv("${csv}")
image = Image.open(pairs.filepath[0])            # paths are relative to this folder
manifest = pd.read_parquet("manifest.parquet")   # where, when, tags, similarities, split, licence of every image
\`\`\``,
    `\`\`\`sh
python -m open_clip_train.main --model ViT-L-14 --train-data ${csv} \\
  --csv-img-key filepath --csv-caption-key title --csv-separator ,
\`\`\``,
    'Of tar shards, which `skyscript export --format webdataset` makes:',
    `\`\`\`python
import webdataset as wds

pairs = wds.WebDataset("train/{00000..00012}.tar", shardshuffle=100).shuffle(1000).decode("pil").to_tuple("jpg", "txt", "json")
\`\`\``,
  ]
}

function making({ tool, fingerprint, config, inputs, counts }: ExportLock): string[] {
  const dropped = Object.entries(counts.dropped).reduce((sum, [, each]) => sum + each, 0)
  const { filter } = config
  return [
    table(
      ['what', 'value'],
      [
        ['made by', `${tool.name} ${tool.version}`],
        ['fingerprint', `\`${fingerprint}\``],
        ['seed', String(config.seed)],
        ...inputs.map(({ name, sha256 }) => ['map', `${plain(name)}, sha256 \`${sha256}\``]),
        ['objects read', formatCount(counts.objects)],
        ['of them dropped, by reason in dropped.csv', formatCount(dropped)],
        ['similarity by', filter.scorers.map(({ name, model }) => plain(`${name}: ${model}`)).join('; ')],
        ['splits', filter.split.by === 'block' ? `by blocks of ${filter.split.degrees} degree` : 'by image'],
      ],
    ),
    'All settings and the sha256 of every file are in `dataset.lock.json`.',
  ]
}

function licences({ sources }: Statistics): string[] {
  return [
    `Captions, metas and tags: © OpenStreetMap contributors, [ODbL 1.0](${ODBL}). A database made from them, in whole or in substantial part, must be offered under ODbL as well when it is made public.`,
    table(
      ['images', 'licence', 'credit'],
      sources.map(({ source, licence, credits }) => [plain(source), plain(licence), credits.map(plain).join('<br>')]),
    ),
    'The notices to pass on are in `ATTRIBUTION.md`; licence and credit of every single image are in the manifest.',
  ]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

/** Text in Markdown: nothing in it is taken for markup. */
function plain(text: string): string {
  return printableLine(text).replace(/[\\`*_[\]<>|]/g, '\\$&')
}
