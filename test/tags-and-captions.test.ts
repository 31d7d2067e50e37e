// @module-tag slow
/** Judging tags and captioning as users do: the trained classifier, the coverage of a file, and the extras of captions. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { filesOf, makeFolder, skyscript, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { MODEL, startTown, TOWN, type Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town

const at = (...names: string[]) => join(folder.path, ...names)
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>)

/** Values of a few words, so that even the demo's small model distinguishes them. */
const SEEN = ['road', 'water', 'roof', 'forest', 'grass', 'building', 'river', 'track']
const NEVER = ['name', 'phone', 'price', 'owner', 'opening', 'menu', 'school', 'church']
const LABELS = [
  'key,value,max_gsd',
  ...SEEN.flatMap((value, i) => [`zone,${value},${i % 2 ? 10 : 1}`, `area_kind,${value},${i % 2 ? 10 : 1}`]),
  ...NEVER.flatMap((value) => [`zone,${value},`, `area_kind,${value},`]),
  '',
].join('\n')

beforeAll(async () => {
  folder = await makeFolder('tags')
  town = await startTown(folder.path)
  await writeFile(at('labels.csv'), LABELS)
}, 120_000)
afterAll(async () => {
  await town?.earthEngine.close()
  await folder?.remove()
})

test('tags train writes weights and reports how good they are; tags uses them only for tags in no table', async () => {
  const weights = at('classifier.json')
  const train = ['tags', 'train', at('labels.csv'), '--model', MODEL, '--output', weights, '--folds', '2']
  const { code, stdout, stderr } = await skyscriptHere(train)
  expect(code, stderr).toBe(0)
  expect(stdout).toMatch(/32 labelled tags of 2 keys, 16 can be seen; 2 folds/)
  expect(stdout).toMatch(/precision +recall +F1/)
  const first = await readFile(weights, 'utf8')
  expect(JSON.parse(first).model.fingerprint).toMatch(/^[0-9a-f]{32}$/)
  expect((await skyscriptHere(train)).code).toBe(0)
  expect(await readFile(weights, 'utf8')).toBe(first)

  const asked = [
    { key: 'zone', value: 'water' },
    { key: 'building', value: 'house' },
    { key: 'name', value: 'water' },
    { key: 'zone', value: '12' },
  ]
  const input = asked.map((tag) => JSON.stringify(tag)).join('\n')
  const judged = await skyscript(['tags', '--classifier', weights, '--model', MODEL], { input })
  expect(judged.code, judged.stderr).toBe(0)
  expect(lines(judged.stdout).map(({ why }) => why)).toEqual([
    expect.stringMatching(/^classifier: visible \d\.\d\d/),
    'label: roof',
    'key rule name=*: name',
    'unknown: no table has it',
  ])
  const half = await skyscript(['tags', '--classifier', weights], { input })
  expect([half.code, half.stderr]).toEqual([1, expect.stringContaining('needs both --classifier')])
  await writeFile(at('other.json'), first.replace(/"fingerprint":"[0-9a-f]+"/, `"fingerprint":"${'0'.repeat(32)}"`))
  const other = await skyscript(['tags', '--classifier', at('other.json'), '--model', MODEL], { input })
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('train again with skyscript tags train')])
})

test('labels that cannot be trained on are refused in one sentence', async () => {
  await writeFile(at('few.csv'), 'key,value,max_gsd\nnatural,wood,10\n')
  const few = await skyscriptHere(['tags', 'train', at('few.csv'), '--model', MODEL, '--output', at('x.json')])
  const said = few.stderr.split('\n').filter((line) => line.startsWith('skyscript: '))
  expect([few.code, said.length]).toEqual([1, 1])
  expect(said[0]).toMatch(/label/)
  await writeFile(at('bad.csv'), 'key,value,max_gsd\nnatural,wood,3\n')
  const bad = await skyscriptHere(['tags', 'train', at('bad.csv'), '--model', MODEL, '--output', at('x.json')])
  expect(bad.stderr).toMatch(/bad\.csv, line 2: must be key,value,max_gsd/)
})

test('tags coverage says which rule decides each tag of a file, and which tags are in no table', async () => {
  const { code, stdout, stderr } = await skyscriptHere(['tags', 'coverage', TOWN, '--json'])
  expect(code, stderr).toBe(0)
  const { all, mostFrequent, keys, unknown } = JSON.parse(stdout)
  expect(all.label.tags).toBeGreaterThan(100)
  expect(mostFrequent.label.uses).toBeLessThanOrEqual(all.label.uses)
  expect(keys.map(({ key }: { key: string }) => key)).toContain('building')
  expect(unknown.every(({ uses }: { uses: number }) => uses > 0)).toBe(true)
  const shown = await skyscriptHere(['tags', 'coverage', TOWN, '--top', '50'])
  expect(shown.stdout).toMatch(/the 50 most frequent/)
  expect(shown.stdout).toMatch(/tags in no table/)
})

test('caption writes other styles, counts, and keeps within tokens', async () => {
  const input = JSON.stringify({
    center_tags: { natural: 'water' },
    surrounding_tags: [{ building: 'yes' }, { building: 'yes' }, { highway: 'residential' }],
  })
  const said = async (...options: string[]) => {
    const { code, stdout, stderr } = await skyscript(['caption', ...options], { input })
    expect(code, stderr).toBe(0)
    return lines(stdout)[0]!.title_multi_objects
  }
  expect(await said()).toBe('a satellite image of natural water, surrounded by building; road of residential')
  expect(await said('--counts', '--template', 'it-shows')).toBe(
    'A satellite image. It shows: natural water, surrounded by 2 buildings; road of residential.',
  )
  expect(await said('--max-tokens', '18', '--model', MODEL)).toBe(
    'a satellite image of natural water, surrounded by building',
  )
  const none = await skyscript(['caption', '--template', 'sonnet'], { input })
  expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('"sonnet" is no style')])
  const uncounted = await skyscript(['caption', '--max-tokens', '13'], { input })
  expect([uncounted.code, uncounted.stderr]).toEqual([1, expect.stringContaining('--max-tokens needs --model')])
})

test('a build with a classifier and all extras is whole, repeats, and says in its files what was used', async () => {
  const weights = at('classifier.json')
  const captions = {
    classifier: { weights, model: MODEL },
    templates: ['it-shows', 'skyscript'],
    maxTokens: 40,
    more: 3,
    counts: true,
    directions: true,
  }
  const build = async (name: string) => {
    const region = await writeRegion(at(`${name}.yaml`), town.region(at(name), { captions }))
    const { code, stdout, stderr } = await skyscriptHere(['build', region, '--json'])
    expect(code, stderr).toBe(0)
    return JSON.parse(stdout)
  }
  const { config, counts } = await build('extras')
  expect(config.captions).toEqual({
    ...captions,
    labels: 'visible',
    tags: null,
    rules: null,
    classifier: { weights: 'classifier.json', model: 'model' },
  })
  expect(Object.keys(counts.dropped).some((reason) => reason === 'not-groundable:classifier')).toBe(true)
  const files = filesOf(at('extras'))
  const captionsFile = 'Town_train_unfiltered_5M_captions.csv'
  expect(Object.keys(files)).toContain(captionsFile)
  const rows = (await readFile(at('extras', captionsFile), 'utf8')).trim().split('\n')
  expect(rows[0]).toBe('filepath,title')
  const pairs = (await readFile(at('extras', 'Town_train_unfiltered_5M.csv'), 'utf8')).trim().split('\n').length - 1
  expect(rows.length - 1).toBeGreaterThan(2 * pairs)
  const text = rows.join('\n')
  expect(text).toMatch(/An aerial image\. It shows: /)
  expect(text).toMatch(/a satellite image of /)
  expect(text).toMatch(/ to the (north|south|east|west)/)
  const { code, stdout } = await skyscriptHere(['verify', at('extras')])
  expect(code, stdout).toBe(0)
  await build('again')
  expect(filesOf(at('again'))).toEqual(files)
  expect(await build('extras')).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
})
