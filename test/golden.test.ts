/**
 * What each stage makes of a small fixed input, as hashes in golden.json. A stage that makes something else of the same
 * input under the same version fails: builds would keep results of the older code.
 */
import { readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { glob, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sha256 } from '../packages/core/src/index.ts'
import { TOOL_VERSION } from '../packages/core/src/version.ts'
import { openTextEmbedder } from '../packages/filter/src/index.ts'
import { plainTiff } from '../packages/gee-fetch/test/cog-set-up.ts'
import { VERSIONS } from '../packages/pipeline/src/run.ts'
import { loadStages } from '../packages/pipeline/src/stages/index.ts'
import { makeFolder } from './support/skyscript.ts'
import { buildHere, place, SMALL_TOWN, smallRegion, writeMap } from './support/small-map.ts'
import { MODEL } from './support/town.ts'

const stages = await loadStages()
const versions = new Map([...Object.entries(VERSIONS), ...stages.map(({ name, version }) => [name, version] as const)])

interface Golden {
  readonly version: number
  /** Of what the stage was given, by which a change of an earlier stage is told from one of its own. */
  readonly input: string
  readonly output: string
}

const FILE = fileURLToPath(new URL('golden.json', import.meta.url))
const REFRESH = 'SKYSCRIPT_GOLDEN=write npm test -- test/golden.test.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let made: Record<string, Golden>
const at = (...names: string[]) => join(folder.path, ...names)

/** Similarities differ in the sixth digit between kinds of processors; three tell a change of the code. */
const rounded = (text: string) =>
  text.replaceAll(TOOL_VERSION, '').replace(/-?\d+\.\d{4,}/g, (number) => Number(number).toFixed(3))

/** Contents of files of the dataset, in an order that depends only on them: names hold fingerprints. */
async function contents(pattern: string): Promise<string[]> {
  const texts: string[] = []
  for await (const name of glob(pattern, { cwd: at('out') })) {
    const bytes = await readFile(at('out', name))
    const isText = /\.(json|csv|md|html)$/.test(name)
    // Heads are made of what follows them.
    if (name.endsWith('.jsonl')) texts.push(bytes.toString('utf8').split('\n')[1]!)
    else if (name.endsWith('.gz')) texts.push(sha256(gunzipSync(bytes)))
    else texts.push(isText ? bytes.toString('utf8') : sha256(bytes))
  }
  if (texts.length === 0) throw new Error(`No file is named ${pattern}.`)
  return texts.sort()
}

const hashOf = (...parts: readonly unknown[]) => sha256(rounded(JSON.stringify(parts)))

/** A classifier of tags that judges by no more than chance: what matters is that it repeats. */
async function writeClassifier(path: string): Promise<void> {
  const embedder = await openTextEmbedder({ model: MODEL, cacheFolder: at('cache') })
  const dimension = (await embedder.embed('a tag')).length
  const weights = (shift: number) => Array.from({ length: dimension }, (_, i) => Math.round(9 * Math.sin(i + shift)))
  const classifier = {
    format: 'skyscript-tag-classifier',
    version: 1,
    model: embedder.model,
    dimension,
    labels: 'none',
    visible: { classes: ['never', 'visible'], weights: [weights(0), weights(1)], bias: [0, 2] },
    maxGsd: { classes: [0.1, 1, 10], weights: [weights(2), weights(3), weights(4)], bias: [0, 0, 0] },
  }
  writeFileSync(path, JSON.stringify(classifier))
}

beforeAll(async () => {
  folder = await makeFolder('golden')
  const strange = [
    { id: 60, tags: { leisure: 'zorbing_dome' }, at: [[40, 60]] as const, half: 10 },
    { id: 61, tags: { man_made: 'sky_lantern' }, at: [[-60, -20]] as const },
  ]
  await writeMap(at('map.osm.pbf'), [...SMALL_TOWN, ...strange])
  await writeClassifier(at('classifier.json'))
  const [x, y] = place([-300, 250])
  await plainTiff(at('ortho.tif'), 4326, 2.5e-5, [x, y], (column, row) => [60 + ((column * 7 + row * 3) % 60), 40 + ((column + row * 5) % 90), 30 + ((column * 3 + row * 11) % 70)], 250) // biome-ignore format: one rule
  const time = new Date('2024-01-01T00:00:00Z')
  utimesSync(at('ortho.tif'), time, time)
  const source = {
    kind: 'cog',
    alias: 'OWN',
    title: 'An orthophoto',
    files: [at('ortho.tif')],
    range: [0, 255],
    gsd: 1,
  }
  const region = smallRegion(at('map.osm.pbf'), at('out'), {
    imagery: { sources: [source] },
    captions: { classifier: { weights: at('classifier.json'), model: MODEL }, more: 1, counts: true, directions: true },
  })
  const { lock } = await buildHere(region, folder.path)
  const inputs = ['map.osm.pbf', 'ortho.tif', 'classifier.json'].map((name) => sha256(readFileSync(at(name))))
  const [map, ortho, weights] = inputs as [string, string, string]
  const model = lock.models.map(({ fingerprint }) => fingerprint)
  const manifest = await parquetReadObjects({
    file: await asyncBufferFromFile(at('out/manifest.parquet')),
  })
  // The lock holds hashes of files, and fingerprints of versions.
  const { fingerprint: _name, tool: _tool, files, ...facts } = lock
  const [learn, extract, select, plan, fetch, caption, score, assemble] = await Promise.all([
    contents('work/tags/**/*.json'),
    contents('work/extract/**/*.{json,gz}'),
    contents('work/select/**/*.json'),
    Promise.all([contents('work/plan/**/*.jsonl'), contents('work/requests/**/*.json')]),
    Promise.all([contents('work/fetch/**/*.jsonl'), contents('images*/*.jpg')]),
    Promise.all([contents('work/caption/**/*.jsonl'), contents('meta*/*.pickle')]),
    contents('work/score/**/*.jsonl'),
    Promise.all([contents('*.csv'), contents('*.md'), contents('report/index.html')]),
  ])
  const rows = manifest.map((row) =>
    JSON.stringify(row, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
  )
  const of = (stage: string, input: readonly unknown[], output: readonly unknown[]): Golden => ({
    version: versions.get(stage)!,
    input: hashOf(...input),
    output: hashOf(...output),
  })
  made = {
    learn: of('learn', [map, weights], [learn]),
    extract: of('extract', [map, lock.tables.captioner], [extract]),
    select: of('select', [extract, lock.tables.captioner], [select]),
    plan: of('plan', [extract, select, lock.tables.captioner, ortho], [plan]),
    fetch: of('fetch', [plan, ortho], [fetch]),
    caption: of('caption', [fetch, extract, lock.tables.captioner], [caption]),
    score: of('score', [fetch, caption, model], [score]),
    assemble: of(
      'assemble',
      [extract, fetch, caption, score, lock.tables.captioner],
      [assemble, rows, facts, Object.keys(files)],
    ),
  }
  if (process.env.SKYSCRIPT_GOLDEN === 'write') writeFileSync(FILE, `${JSON.stringify(made, null, 2)}\n`)
}, 120_000)
afterAll(() => folder?.remove())

test.each([...versions.keys()])('what the stage %s makes changes only with its version', (stage) => {
  const golden = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Golden | undefined>
  const [now, then] = [made[stage]!, golden[stage]]
  const isOwn = then !== undefined && now.input === then.input && now.output !== then.output
  const where = stage === 'caption' ? 'RULES_VERSION in captioner.ts or the version' : 'the version'
  const advice = isOwn
    ? now.version === then.version
      ? `The stage makes something else of the same input. Raise ${where} in packages/pipeline/src/stages/${stage}.ts or run.ts, unless that was done since the last release, then run: ${REFRESH}`
      : `The stage has a new version. Run: ${REFRESH}`
    : `The stage has another version, or is given something else. If that is meant, run: ${REFRESH}`
  expect(now, advice).toEqual(then)
})
