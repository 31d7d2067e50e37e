import type { Storage } from '@skyscript/core'
import { plain } from '../markdown.ts'
import { ATTRIBUTION, README } from '../names.ts'
import { configName, frontMatter, HUB_SPLITS } from './card.ts'
import { hubTypeOf } from './croissant-vocabulary.ts'
import type { FinishedDataset, PairSet } from './dataset.ts'

export interface Shard {
  readonly name: string
  readonly samples: number
  readonly bytes: number
  readonly sha256: string
}

/** `stats.json` of a set: its shards, and what they were made from. */
export interface WebdatasetSet {
  readonly set: string
  readonly csv: string
  readonly folder: string
  readonly samples: number
  readonly bytes: number
  /** For OpenCLIP's --train-data, relative to the target; null if there are no pairs. */
  readonly urls: string | null
  readonly caption: string
  /** The dataset's fingerprint. */
  readonly fingerprint: string
  readonly seed: number
  readonly shardBytes: number
  readonly shards: readonly Shard[]
}

interface Shards extends PairSet {
  readonly folder: string
  readonly samples: number
}

interface HubConfig {
  readonly config_name: string
  readonly data_files: readonly { readonly split: string; readonly path: string }[]
}

/**
 * Writes a `README.md` for the target and for each set's folder, and the credits. Its front matter makes Hugging Face's
 * `datasets` read only the tar files, with declared types instead of types guessed from the first samples.
 *
 * @param columns columns of the manifest
 */
export async function describeShards(
  dataset: FinishedDataset,
  columns: readonly string[],
  target: Storage,
  written: readonly WebdatasetSet[],
): Promise<void> {
  const all = written.flatMap(({ set, folder, samples }): Shards[] => {
    const known = dataset.sets.find(({ name }) => name === set)
    return known === undefined || samples === 0 ? [] : [{ ...known, folder, samples }]
  })
  const { name } = dataset.lock.config
  const cardOf = (configs: readonly HubConfig[], pairs: number, text: readonly string[]) => {
    const info = configs.map(({ config_name }) => ({ config_name, features: featuresOf(columns) }))
    const front = frontMatter(name, pairs, configs.length > 0 ? { configs, dataset_info: info } : {})
    return [front, `# ${plain(name)}`, ...text, ''].join('\n\n')
  }
  for (const { part, folder, samples } of all) {
    const config = { config_name: 'default', data_files: [{ split: HUB_SPLITS[part], path: '*.tar' }] }
    await target.put(`${folder}/${README}`, cardOf([config], samples, ABOUT))
  }
  const configs = configsOf(all, dataset.lock.config.filter.scorers[0]!.name)
  const pairs = all.reduce((sum, { samples }) => sum + samples, 0)
  await target.put(README, cardOf(configs, pairs, [...ABOUT, ...(configs[0] ? loading(configs[0]) : [])]))
  await target.put(ATTRIBUTION, dataset.storage.stream(ATTRIBUTION))
}

/** One configuration per training set, with val and test of its scorer, and one per remaining set. */
function configsOf(all: readonly Shards[], first: string): HubConfig[] {
  const filesOf = (parts: readonly Shards[]) =>
    parts.map(({ part, folder }) => ({ split: HUB_SPLITS[part], path: `${folder}/*.tar` }))
  const used = new Set<Shards>()
  const training = all.filter(({ part }) => part === 'train')
  const configs = training.map((train) => {
    const parts = [train]
    for (const part of ['val', 'test'] as const) {
      const other = all.find((each) => each.part === part && each.scorer === (train.scorer ?? first))
      if (other !== undefined) parts.push(other)
    }
    for (const part of parts) used.add(part)
    return { config_name: configName(train, first), data_files: filesOf(parts) }
  })
  const rest = all
    .filter((each) => !used.has(each))
    .map((each) => ({ config_name: each.name, data_files: filesOf([each]) }))
  // A set may be present twice: in the folder of its part and in that of its name.
  const [chosen, ...others] = [...new Map([...configs, ...rest].map((config) => [config.config_name, config])).values()]
  // Without a default, `load_dataset(folder)` asks for a name.
  return chosen === undefined ? [] : [{ ...chosen, ...(others.length > 0 && { default: true as const }) }, ...others]
}

function featuresOf(columns: readonly string[]): unknown[] {
  return [
    { name: 'jpg', dtype: 'image' },
    { name: 'json', struct: columns.map((name) => ({ name, dtype: hubTypeOf(name) })) },
    { name: 'txt', dtype: 'string' },
    { name: '__key__', dtype: 'string' },
    { name: '__url__', dtype: 'string' },
  ]
}

const ABOUT = [
  'Pairs of a remote sensing image and a caption in WebDataset shards: of each pair a `.jpg`, a `.txt` (its caption) and a `.json` (its row of the manifest, in which tags are JSON texts).',
  `Licences and the notices to pass on: the file \`${ATTRIBUTION}\` of the dataset; licence and credit of every image are in its \`.json\`.`,
] as const

const loading = ({ config_name: name, data_files: files }: HubConfig) => [
  `\`\`\`python
import json
from datasets import load_dataset

pairs = load_dataset(".", "${name}", split="${files[0]!.split}")
pairs[0]["jpg"], pairs[0]["txt"], json.loads(pairs[0]["json"]["center_tags"])
\`\`\``,
]
