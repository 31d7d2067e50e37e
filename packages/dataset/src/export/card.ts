import { formatCount, formatCounted } from '@skyscript/core'
import { stringify } from 'yaml'
import type { DatasetLock } from '../lock.ts'
import { code, plain, table } from '../markdown.ts'
import { ATTRIBUTION, recordsPath } from '../names.ts'
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
import { benchmarkSections, type CardBenchmarks } from './card-benchmarks.ts'
import type { FinishedDataset, PairSet } from './dataset.ts'
import type { CaptionFacts, Statistics } from './statistics.ts'

export const CARD = 'DATASET_CARD.md'

/** The facts that a card needs; all others are optional. */
export type CardFacts = Pick<Statistics, 'pairs' | 'sources' | 'dates'>

/** The hub's `size_categories`, with the number of pairs that each is below. */
const SIZES = [
  [1e3, 'n<1K'],
  [1e4, '1K<n<10K'],
  [1e5, '10K<n<100K'],
  [1e6, '100K<n<1M'],
  [1e7, '1M<n<10M'],
  [1e8, '10M<n<100M'],
] as const

/** Every image of the dataset, as a pattern of the hub. */
const ALL_IMAGES = 'images*/*.jpg'

/**
 * The dataset's `README.md`, on Hugging Face or anywhere else: front matter for the hub, then what a user should know.
 * Tables of the statistics are included if all of them are given, and so are benchmark sets and results on them.
 */
export function cardOf(
  { lock, sets }: Pick<FinishedDataset, 'lock' | 'sets'>,
  facts: CardFacts | Statistics,
  benchmarks: CardBenchmarks = {},
): string {
  const name = plain(lock.config.name)
  return [
    frontMatter(lock.config.name, facts.pairs, { configs: configsOf(lock, sets) }),
    `# ${name}`,
    plain(description(lock, facts)),
    ...('captions' in facts
      ? ['## Pairs', ...pairSections(facts), '## Captions', ...captionSections(facts)]
      : ['Tables of sources, tags, captions and similarities are in `report/index.html`.']),
    '## Sets',
    table(
      ['set', 'file', 'pairs'],
      sets.map((set) => [set.name, `\`${set.csv}\``, formatCount(set.rows)]),
    ),
    ...lock.notes.map((note) => `- ${plain(note)}`),
    ...benchmarkSections(benchmarks),
    '## How to load it',
    ...loading(lock, sets),
    '## How it was made',
    plain(collection(lock)),
    plain(filtering(lock)),
    ...making(lock),
    '## Uses, limits, biases',
    [...USES, ...LIMITATIONS, ...BIASES, PRIVACY].map((line) => `- ${line}`).join('\n'),
    '## Licences and credits',
    ...licences(facts),
    '## Citation',
    `The dataset is made as the paper describes (${PAPER}):`,
    `\`\`\`bibtex\n${CITATION}\n\`\`\``,
    '',
  ].join('\n\n')
}

/**
 * YAML front matter, which the hub and `datasets` read.
 *
 * @param pairs null if they are not counted
 */
export function frontMatter(name: string, pairs: number | null, more: Readonly<Record<string, unknown>>): string {
  const fields = {
    pretty_name: name,
    language: ['en'],
    license: 'other',
    license_name: 'odbl-1.0-and-imagery-licences',
    license_link: ATTRIBUTION,
    task_categories: ['zero-shot-image-classification', 'image-to-text', 'text-to-image', 'image-feature-extraction'],
    ...(pairs !== null && { size_categories: [SIZES.find(([largest]) => pairs < largest)?.[1] ?? '100M<n<1B'] }),
    tags: ['remote-sensing', 'satellite', 'aerial', 'openstreetmap', 'geospatial', 'clip', 'skyscript'],
    ...more,
  }
  return `---\n${stringify(fields, { lineWidth: 0 })}---`
}

/** The hub's names for splits. */
export const HUB_SPLITS = { train: 'train', val: 'validation', test: 'test' } as const

interface HubConfig {
  readonly config_name: string
  readonly default?: true
  readonly data_files: readonly { readonly split: string; readonly path: readonly string[] }[]
  readonly metadata_filenames: readonly string[]
}

/**
 * One configuration per training set, with val and test of its scorer, as image folders: `datasets` reads the rows from the
 * JSON lines and the images next to them. Images are listed in each split because the hub's client downloads only listed
 * files, and because `datasets` detects the kind of a dataset from the most frequent file extension.
 */
function configsOf({ config, files }: DatasetLock, sets: readonly PairSet[]): HubConfig[] {
  const [first] = config.filter.scorers
  const stored = sets.filter(({ rows, csv }) => rows > 0 && recordsPath(csv) in files)
  return stored
    .filter(({ part }) => part === 'train')
    .map((train) => {
      const others = stored.filter(({ part, scorer }) => part !== 'train' && scorer === (train.scorer ?? first!.name))
      const parts = [train, ...others]
      return {
        config_name: configName(train, first!.name),
        ...(train.scorer === null && { default: true as const }),
        data_files: parts.map(({ part, csv }) => ({ split: HUB_SPLITS[part], path: [recordsPath(csv), ALL_IMAGES] })),
        metadata_filenames: parts.map(({ csv }) => recordsPath(csv)),
      }
    })
}

/** `unfiltered`, `top30`, and for further scorers `top30_laion_RS`. */
export function configName({ name, scorer }: PairSet, first: string): string {
  const cut = name.replace(/^train_/, '')
  if (scorer === null) return cut
  const short = cut.slice(0, -`_${scorer}`.length).replace(/^(top\d+)pct$/, '$1')
  return scorer === first ? short : `${short}_${scorer}`
}

function pairSections({ sources, splits, years, sizes, pairs }: Statistics): string[] {
  const names = [...splits.keys()].sort((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1))
  const bySplit = sources.map(({ source, collection: of, gsds, pairs: all }) => [
    plain(source),
    code(of),
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
    'Pairs that are neither train, val nor test are in the manifest and in no CSV of pairs.',
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

function loading(lock: DatasetLock, sets: readonly PairSet[]): string[] {
  const train = sets.find(({ name }) => name === 'train_unfiltered') ?? sets[0]
  const csv = train?.csv ?? ''
  const configs = configsOf(lock, sets)
  const config = configs.find(({ config_name: name }) => name.startsWith('top')) ?? configs[0]
  const names = configs.map(({ config_name: each }) => `\`${each}\``).join(', ')
  const captionFiles = sets
    .filter(({ scorer }) => scorer === null || scorer === lock.config.filter.scorers[0]!.name)
    .filter(({ part, name }) => part !== 'train' || name === train?.name)
    .map(({ part, csv: file }) => `"${part}": "${file}"`)
  return [
    ...(config === undefined
      ? []
      : [
          `With Hugging Face's \`datasets\` 4.0 or newer, from this folder or by its name on the hub, each row with its image (configurations: ${names}):`,
          `\`\`\`python
from datasets import load_dataset

pairs = load_dataset(".", "${config.config_name}", split="train")
pairs[0]["image"], pairs[0]["title"]
\`\`\``,
        ]),
    'With pandas:',
    `\`\`\`python
import pandas as pd
from PIL import Image

pairs = pd.read_csv("${csv}")
image = Image.open(pairs.filepath[0])            # paths are relative to this folder
manifest = pd.read_parquet("manifest.parquet")   # where, when, tags, similarities, split, licence of every image
\`\`\``,
    'With torchgeo, whose class knows the names of the original’s files:',
    `\`\`\`python
from torchgeo.datasets import SkyScript

class Pairs(SkyScript):
    image_dirs = ()  # nothing to download
    caption_files = {${captionFiles.join(', ')}}

pairs = Pairs(".", split="train")
\`\`\``,
    'With OpenCLIP, in this folder:',
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

/** How training files by similarity were mixed. */
function mixtureRows({ blends, balance, semanticDuplicates }: DatasetLock['config']['filter']): string[][] {
  const limitText = (limit: number | Readonly<Record<string, number>>, unit: string) =>
    typeof limit === 'number'
      ? `${limit} ${unit}`
      : Object.entries(limit)
          .map(([name, each]) => `${plain(name)} ${each} ${unit}`)
          .join(', ')
  const limits = (balance ?? []).map(({ by, degrees = 1, most, share }) => {
    const texts = [
      ...(most === undefined ? [] : [limitText(most, 'per file')]),
      ...(share === undefined ? [] : [limitText(share, 'of a file')]),
    ]
    return `${by}${by === 'place' ? ` (${degrees} degrees)` : ''} at most ${texts.join(' and ')}`
  })
  const named = (blends ?? []).map(({ name, of, weights }) => {
    const parts = of.map((scorer, i) => (weights === undefined ? scorer : `${weights[i]} x ${scorer}`))
    return plain(`${name}: ${parts.join(', ')}`)
  })
  return [
    ...(named.length === 0 ? [] : [['similarity by mean rank, 0 to 1', named.join('; ')]]),
    ...(limits.length === 0 ? [] : [['training files by similarity are balanced', limits.join('; ')]]),
    ...(semanticDuplicates === undefined
      ? []
      : [['left out of them: images that look alike', `cosines of ${semanticDuplicates.above} or more`]]),
  ]
}

function making({ tool, fingerprint, config, inputs, counts }: DatasetLock): string[] {
  const dropped = Object.entries(counts.dropped).reduce((sum, [, each]) => sum + each, 0)
  const { filter } = config
  return [
    table(
      ['what', 'value'],
      [
        ['made by', `${tool.name} ${tool.version}`],
        ['fingerprint', `\`${fingerprint}\``],
        ['seed', String(config.seed)],
        ...inputs.map((input) => ['map', mapOf(input)]),
        ['objects read', formatCount(counts.objects)],
        ['of them dropped, by reason in dropped.csv', formatCount(dropped)],
        ['similarity by', filter.scorers.map(({ name, model }) => plain(`${name}: ${model}`)).join('; ')],
        ...mixtureRows(filter),
        [
          'splits',
          filter.split.by === 'image'
            ? 'by image'
            : filter.split.degrees === 'auto'
              ? 'by ground'
              : `by blocks of ${filter.split.degrees} degrees`,
        ],
      ],
    ),
    'All settings and the sha256 of every file are in `dataset.lock.json`.',
  ]
}

/** What is known of an extract, with the date of the map and the sequence number by which it can be updated. */
function mapOf(input: DatasetLock['inputs'][number]): string {
  const { name, sha256, replicationTimestamp: date, replicationSequence: sequence, changes } = input
  return [
    plain(name),
    ...(date === null ? [] : [`as of ${plain(date)}`]),
    ...(sequence === null ? [] : [`replication sequence ${sequence}`]),
    `sha256 \`${sha256}\``,
    ...(changes === undefined
      ? []
      : [`with ${formatCounted(changes.files, 'change file')} applied, \`${changes.sha256}\``]),
  ].join(', ')
}

function licences({ sources }: CardFacts): string[] {
  return [
    `Captions, metas and tags: © OpenStreetMap contributors, [ODbL 1.0](${ODBL}). A database made from them, in whole or in substantial part, must be offered under ODbL as well when it is made public.`,
    table(
      ['images', 'licence', 'credit'],
      sources.map(({ source, licence, credits }) => [plain(source), plain(licence), credits.map(plain).join('<br>')]),
    ),
    'The notices to pass on are in `ATTRIBUTION.md`; licence and credit of every single image are in the manifest.',
  ]
}
