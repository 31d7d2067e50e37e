import { formatCount, printable } from '@skyscript/core'
import { argumentList, defineCommand, jsonOption, option, positiveInteger, withDefault } from '../command.ts'
import { labelsOption, tagsOption } from '../tag-options.ts'

const DECIDERS = ['override', 'label', 'key rule', 'skyscript-2023', 'unknown'] as const
type Decider = (typeof DECIDERS)[number]

/** How many tags, and how many uses of tags, each decided. */
type Shares = Readonly<Record<Decider, { readonly tags: number; readonly uses: number }>>

/** Which rule decides each tag of some files. */
export interface TagCoverage {
  readonly all: Shares
  readonly mostFrequent: Shares
  /** By key, the most used first. */
  readonly keys: readonly { readonly key: string; readonly uses: number; readonly shares: Shares }[]
  /** Tags in no table, the most used first. */
  readonly unknown: readonly { readonly key: string; readonly value: string; readonly uses: number }[]
}

/** Lines of a table: enough to see where a region differs. */
const LISTED = 40

export const tagsCoverage = defineCommand({
  name: 'tags coverage',
  description: 'show which rule decides each tag of OSM files, by key and by frequency, and which tags are in no table',
  arguments: { files: argumentList('<file.osm.pbf...>', 'OSM PBF files; several are read as one map') },
  options: {
    labels: labelsOption,
    tags: tagsOption,
    top: withDefault(option('--top <n>', 'number of most frequent tags to summarize', positiveInteger), 1000),
    json: jsonOption,
  },
  async run({ files, labels, tags: table, top, json }) {
    const { createCaptioner } = await import('@skyscript/captioner')
    const { readTagTable } = await import('@skyscript/pipeline/files')
    const captioner = createCaptioner({
      ...(labels !== undefined && { labels }),
      ...(table !== undefined && { tags: await readTagTable(table, '--tags') }),
    })
    const tags = [...(await usesOfTags(files))]
      .map(([tag, n]) => {
        // A key that contains = is cut at it: no table has such a key.
        const at = tag.indexOf('=')
        const [key, value] = [tag.slice(0, at), tag.slice(at + 1)]
        const { why } = captioner.groundability(key, value)
        return { key, value, uses: n, decider: DECIDERS.find((each) => why.startsWith(each)) ?? 'unknown' }
      })
      .sort((a, b) => b.uses - a.uses || (`${a.key}=${a.value}` < `${b.key}=${b.value}` ? -1 : 1))
    const coverage: TagCoverage = {
      all: sharesOf(tags),
      mostFrequent: sharesOf(tags.slice(0, top)),
      keys: [...Map.groupBy(tags, ({ key }) => key)]
        .map(([key, list]) => ({ key, uses: list.reduce((sum, tag) => sum + tag.uses, 0), shares: sharesOf(list) }))
        .sort((a, b) => b.uses - a.uses || (a.key < b.key ? -1 : 1)),
      unknown: tags
        .filter(({ decider }) => decider === 'unknown')
        .map(({ key, value, uses: n }) => ({ key, value, uses: n })),
    }
    process.stdout.write(json ? `${JSON.stringify(coverage)}\n` : tablesOf(coverage, top))
  },
})

/** How often each `key=value` of the files, read as one map, is used. */
async function usesOfTags(files: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { extract } = await import('@skyscript/osm-extract')
  const extraction = extract(files, { wanted: new Map(), counted: 'all' })
  for await (const _ of extraction.chunks());
  return extraction.report().tagCounts
}

function sharesOf(tags: readonly { readonly uses: number; readonly decider: Decider }[]): Shares {
  const shareOf = (decider: Decider) => {
    const own = tags.filter((tag) => tag.decider === decider)
    return [decider, { tags: own.length, uses: own.reduce((sum, tag) => sum + tag.uses, 0) }] as const
  }
  return Object.fromEntries(DECIDERS.map(shareOf)) as Record<Decider, { tags: number; uses: number }>
}

function tablesOf({ all, mostFrequent, keys, unknown }: TagCoverage, top: number): string {
  const cell = (text: string) => text.padStart(16)
  const name = (text: string) => printable(text).slice(0, 36).padEnd(38)
  const heading = (title: string) => name(title) + ['uses', ...DECIDERS].map(cell).join('')
  const usesOf = (shares: Shares) => DECIDERS.reduce((sum, each) => sum + shares[each].uses, 0)
  const counts = (title: string, shares: Shares) =>
    name(title) +
    cell(formatCount(usesOf(shares))) +
    DECIDERS.map((each) => cell(formatCount(shares[each].tags))).join('')
  const percent = (title: string, shares: Shares) => {
    const total = Math.max(1, usesOf(shares))
    const part = (each: Decider) => cell(`${((100 * shares[each].uses) / total).toFixed(1)} %`)
    return name(title) + cell('100 %') + DECIDERS.map(part).join('')
  }
  return [
    heading('distinct tags, by what decides'),
    counts(`the ${formatCount(top)} most frequent`, mostFrequent),
    counts('all', all),
    percent('all, by use', all),
    '',
    heading('keys, the most used first'),
    ...keys.slice(0, LISTED).map(({ key, shares }) => counts(key, shares)),
    '',
    `${name('tags in no table')}${cell('uses')}`,
    ...unknown.slice(0, LISTED).map(({ key, value, uses }) => name(`${key}=${value}`) + cell(formatCount(uses))),
    '',
  ].join('\n')
}
