/**
 * `npm run docs`: writes the parts of docs/reference that follow from the code. With `--check` it writes nothing, and fails if
 * one of them is out of date.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { shippedSource } from '../packages/core/src/config.ts'
import { configJsonSchema, type JsonSchema } from '../packages/core/src/config-json-schema.ts'
import { CATALOGUE, OPEN_LICENCES } from '../packages/core/src/index.ts'
import { SOURCES, type Source, sourcesOf } from '../packages/gee-fetch/src/index.ts'
import type { Command, Option } from '../packages/worker/src/command.ts'
import { COMMANDS } from '../packages/worker/src/commands/index.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const NOTE = '<!-- Written by `npm run docs`; change the code that it comes from instead. -->'

/** Editors show descriptions without following relative links. */
function withoutLinks(key: string, value: unknown): unknown {
  return key === 'description' && typeof value === 'string' ? value.replace(/\[([^\]]+)\]\([^)]*\)/g, '$1') : value
}

function settingsPage(): string {
  const { properties = {}, required = [] } = configJsonSchema()
  const single = Object.entries(properties).filter(([, schema]) => !isGroup(schema))
  const groups = Object.entries(properties).filter(([, schema]) => isGroup(schema))
  const [, ...kinds] = properties.imagery!.properties!.sources!.items!.anyOf!
  return [
    NOTE,
    '# Settings',
    '',
    'A region file is YAML. Only `osm.source` and `output` are required. Paths are relative to the region file.',
    '',
    "Editors complete and check region files that begin with this line (the path of this repository's copy, or its URL):",
    '',
    '```yaml',
    '# yaml-language-server: $schema=docs/reference/region.schema.json',
    '```',
    '',
    '## General',
    '',
    ...tableOf(single.flatMap(([name, schema]) => rowsOf(name, schema, required.includes(name)))),
    ...groups.flatMap(([name, schema]) => ['', `## ${name}`, '', ...tableOf(rowsOf(name, schema))]),
    '',
    '## Sources of your own',
    '',
    'Entries of `imagery.sources` that are not aliases of [shipped sources](sources.md). How to use them:',
    '[imagery of your own](../how-to/own-imagery.md).',
    '',
    ...kinds.flatMap((kind) => [`### ${titleOf(kind)}`, '', ...tableOf(rowsOf('', kind)), '']),
  ].join('\n')
}

/** A kind of source as its own description begins; that of Earth Engine needs no name. */
function titleOf({ properties }: JsonSchema): string {
  if (properties?.index) return 'Layers of a catalogue'
  const [name, title] = (properties?.kind?.description ?? '').split(/: (?:an? )?(.*)/s)
  return title === undefined ? 'In Earth Engine' : `${name}: ${title}`
}

const isGroup = ({ type, properties }: JsonSchema) => type === 'object' && properties !== undefined

type Row = readonly [name: string, fallback: string, meaning: string]

/** A row for each setting of a schema, those of groups and of the entries of lists included. */
function rowsOf(path: string, schema: JsonSchema, isRequired = true): Row[] {
  if (isGroup(schema)) {
    const { properties = {}, required = [] } = schema
    return Object.entries(properties).flatMap(([name, each]) =>
      rowsOf(path === '' ? name : `${path}.${name}`, each, required.includes(name)),
    )
  }
  if (schema.description === undefined) return []
  const row: Row = [`\`${path}\``, isRequired ? 'required' : defaultOf(schema), meaningOf(schema)]
  const inner = [schema.items, ...(schema.anyOf ?? [])].filter((each) => each !== undefined && isGroup(each))
  const list = schema.items === undefined ? '' : '[]'
  return path.endsWith('sources') || inner.length !== 1 ? [row] : [row, ...rowsOf(`${path}${list}`, inner[0]!)]
}

function defaultOf({ default: value, description = '' }: JsonSchema): string {
  if (/\bdefault: /i.test(description)) return 'see meaning'
  if (value === undefined || value === null) return 'none'
  return `\`${typeof value === 'object' ? JSON.stringify(value).replaceAll('"', '').replaceAll(',', ', ') : String(value)}\``
}

function meaningOf(schema: JsonSchema): string {
  const { description = '' } = schema
  const choices = schema.enum?.map((value) => `\`${String(value)}\``) ?? []
  const unnamed = choices.filter((choice) => !description.includes(choice))
  return unnamed.length > 0 ? `${description}: ${choices.join(', ')}` : description
}

function tableOf(rows: readonly Row[]): string[] {
  return [
    '| setting | default | meaning |',
    '| --- | --- | --- |',
    ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
  ]
}

const cell = (text: string) => text.replaceAll('|', '\\|')

function commandsPage(): string {
  return [
    NOTE,
    '# Commands',
    '',
    '`npm start -- <command>`, or `packages/worker/bin/skyscript.cjs <command>` from anywhere once packages are installed',
    "(`npm start --silent` keeps npm's own lines out of the output). Every command prints its usage with `--help`.",
    'Data goes to stdout, messages to stderr. Exit codes: 0 success; 1 failure; 2 an incomplete result; 3 a map that can not be',
    'brought up to date, so that a newer extract is needed. After a `build` or `plan` that exits with 2, run it again to retry',
    'what failed. For a command that reads lines or rows, it means that some could not be processed.',
    '',
    '| command | |',
    '| --- | --- |',
    ...COMMANDS.map(
      ({ name, description }) => `| [\`${name}\`](#${name.replaceAll(' ', '-')}) | ${cell(sentence(description))} |`,
    ),
    ...COMMANDS.flatMap(commandSection),
    '',
  ].join('\n')
}

function commandSection({ name, description, arguments: positional, options }: Command): string[] {
  const usage = ['skyscript', name, ...Object.values(positional).map((each) => each.usage), '[options]'].join(' ')
  const rows = [
    ...Object.values(positional).map((each) => [`\`${each.usage}\``, each.description]),
    ...Object.values(options).flatMap(optionRows),
  ]
  return [
    '',
    `## ${name}`,
    '',
    `${sentence(description)}.`,
    '',
    '```',
    usage,
    '```',
    '',
    '| | |',
    '| --- | --- |',
    ...rows.map((row) => `| ${row.map((text) => cell(text!)).join(' | ')} |`),
  ]
}

function optionRows(option: Option<unknown>): string[][] {
  const { flags, description, kind, opposite, required, env, default: fallback } = option
  const isEmptyList = Array.isArray(fallback) && fallback.length === 0
  const facts = [
    ...(required ? ['required'] : []),
    ...(kind?.choices ? [`one of ${kind.choices.map((choice) => `\`${choice}\``).join(', ')}`] : []),
    ...(fallback === undefined || isEmptyList ? [] : [`default: \`${String(fallback)}\``]),
    ...(env ? [`or set \`${env}\``] : []),
  ]
  const rows = [[`\`${flags}\``, facts.length === 0 ? description : `${description} (${facts.join('; ')})`]]
  return opposite === undefined ? rows : [...rows, [`\`${opposite.flags}\``, opposite.description]]
}

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

function sourcesPage(): string {
  const shipped = Object.values(SOURCES).map((source) => [
    ...[`\`${source.alias}\``, source.title, `\`${source.collection}\``, `${source.gsd} m`, yearsOf(source)],
    ...[source.licence, source.kind === 'cog' ? 'no' : 'yes', ...termsOf(source)],
  ])
  const services = sourcesOf(CATALOGUE.map(({ alias }) => shippedSource(alias))).map((source, i) => [
    ...[`\`${source.alias}\``, source.title, `${source.gsd.toPrecision(2)} m`, yearsOf(source), source.licence],
    ...['url' in source && source.url.includes('SKYSCRIPT_SECRET') ? 'yes' : 'no', ...termsOf(CATALOGUE[i]!)],
  ])
  return [
    NOTE,
    '# Imagery sources',
    '',
    'Shipped sources for `imagery.sources`. The default is the ten sources of the paper, the first ten here; the others are used',
    'only if `imagery.sources` names them. You can also describe [imagery of your own](../how-to/own-imagery.md).',
    '[How images are chosen](../explanation/imagery.md) says which source an object gets. NE, EL, P3 and P5 have images of a few',
    'places only. ES is under the terms of Spain’s IGN, not CC BY.',
    '',
    ...table(
      ['alias', 'imagery', 'collection', 'GSD', 'years', 'licence', 'Earth Engine account', 'terms', 'confirmed'],
      shipped,
    ),
    '',
    '## Official services',
    '',
    'Services that publish orthophotos of a country or state. What is said of them comes from lists that others keep;',
    '`confirmed` says when one of us last fetched an image and read the terms. Read the terms yourself before you publish a',
    'dataset. The GSD is that in the middle of the extent.',
    '',
    ...table(['alias', 'imagery', 'GSD', 'years', 'licence', 'key', 'terms', 'confirmed'], services),
    '',
    '## All that cover a region',
    '',
    '`skyscript sources region.yaml` (or an extract, or `--at longitude,latitude`) lists what covers a place, what each source',
    "needs, and how many of the region's visible objects it would serve; with `--check` it asks each for one small image.",
    '',
    '`imagery.sources: auto` takes every source of these tables that covers the region and is under a licence of',
    '`imagery.licences`. It leaves out those that need a key or an Earth Engine account which is not there, and says so. The lock',
    'records what it took. A later version may know more sources, and the next build of the dataset then takes them too, and',
    'says so. To keep to a list, name its sources; to leave some out, name these in `imagery.without`. `auto` may also be one entry of the list: `[auto, { kind: xyz, ... }]`.',
    '',
    '## Licences',
    '',
    'Without `imagery.licences`, `auto` takes sources under these, which ask for no more than a credit:',
    `${OPEN_LICENCES.map((name) => `\`${name}\``).join(', ')}.`,
    '',
    'An entry of `imagery.licences` allows every licence whose text starts with its words. Case, accents and punctuation do not',
    'count, and an SPDX id stands for the usual names: `CC-BY-4.0` for `CC BY 4.0`, `etalab-2.0` for `Licence Ouverte 2.0`.',
    'The same holds for the licence of a source of your own.',
    '',
  ].join('\n')
}

const yearsOf = ({ years }: Pick<Source, 'years'>): string =>
  years === undefined ? '' : years[0] === years[1] ? String(years[0]) : `${years[0]}-${years[1] ?? ''}`

const termsOf = ({ terms = '', confirmed = 'never' }: Pick<Source, 'terms' | 'confirmed'>): string[] => [
  `[terms](${terms})`,
  confirmed,
]

const table = (titles: readonly string[], rows: readonly (readonly string[])[]): string[] => [
  `| ${titles.join(' | ')} |`,
  `|${' --- |'.repeat(titles.length)}`,
  ...rows.map((row) => `| ${row.map(cell).join(' | ')} |`),
]

const FILES: Readonly<Record<string, () => string>> = {
  'settings.md': settingsPage,
  'region.schema.json': () => `${JSON.stringify(configJsonSchema(), withoutLinks, 2)}\n`,
  'commands.md': commandsPage,
  'sources.md': sourcesPage,
}

const isCheck = process.argv.includes('--check')
const stale: string[] = []
for (const [name, make] of Object.entries(FILES)) {
  const file = join(root, 'docs', 'reference', name)
  const text = make()
  if (existsSync(file) && readFileSync(file, 'utf8') === text) continue
  stale.push(`docs/reference/${name}`)
  if (isCheck) continue
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
if (stale.length > 0)
  process.stderr.write(isCheck ? `${stale.join(', ')} out of date; run npm run docs\n` : `wrote ${stale.join(', ')}\n`)
else process.stderr.write('docs/reference follows the code\n')
process.exitCode = isCheck && stale.length > 0 ? 1 : 0
