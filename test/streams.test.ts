// @module-tag slow
/** The commands that answer a stream line by line: what they do with lines that they can't read. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFolder, skyscript } from './support/skyscript.ts'
import { MODEL } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('streams')
  for (const [name, background] of [
    ['red', '#c03020'],
    ['blue', '#2030c0'],
  ] as const) {
    await sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .jpeg()
      .toFile(at(`${name}.jpg`))
  }
})
afterAll(() => folder?.remove())

const answers = (text: string) =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown)

test('caption answers every line: a bad one by an error with its number, one without a visible tag by a reason', async () => {
  const input = [
    '{"center_tags":{"building":"house","note":"a\u2028b"}}',
    '',
    'not json',
    '{"center_tags":{"name":"Lake"}}\r',
    '{"center_tags":{}}',
    '{"center_tags":{"natural":12}}',
    '{"center_tags":{"natural":"water"},"surrounding_tags":[{"highway":"residential"}]}',
  ].join('\n')
  const { code, stdout, stderr } = await skyscript(['caption'], { input })
  const nothing = { title: '', title_multi_objects: '', reason: 'no-groundable-tag-at-gsd' }
  expect(answers(stdout)).toEqual([
    expect.objectContaining({ title: 'a satellite image of building of house' }),
    { line: 3, error: 'is not JSON' },
    nothing,
    nothing,
    { line: 6, error: expect.stringContaining('center_tags') },
    expect.objectContaining({
      title_multi_objects: 'a satellite image of natural water, surrounded by road of residential',
    }),
  ])
  expect([code, stderr]).toEqual([2, "skyscript: 2 of 6 lines can't be read; the first is line 3: is not JSON\n"])
  const unseen = await skyscript(['caption', '--gsd', '10'], { input: '{"center_tags":{"power":"pole"}}\n' })
  expect([unseen.code, answers(unseen.stdout)]).toEqual([0, [nothing]])
})

test('caption neither describes nor mentions what a build leaves out because it is hidden, except with --all-tags', async () => {
  const input = [
    '{"center_tags":{"power":"line","location":"underground"}}',
    '{"center_tags":{"highway":"residential","tunnel":"yes"}}',
    '{"center_tags":{"natural":"water"},"surrounding_tags":[{"waterway":"stream","tunnel":"culvert"},{"landuse":"forest"}]}',
  ].join('\n')
  const { code, stdout } = await skyscript(['caption'], { input })
  expect(code).toBe(0)
  expect(answers(stdout)).toEqual([
    { title: '', title_multi_objects: '', reason: 'hidden:underground' },
    { title: '', title_multi_objects: '', reason: 'hidden:covered' },
    expect.objectContaining({
      title_multi_objects: 'a satellite image of natural water, surrounded by landuse of forest',
    }),
  ])
  const all = answers((await skyscript(['caption', '--all-tags'], { input })).stdout) as { title: string }[]
  expect(all[0]!.title).toContain('location of underground')
})

test('a line with a fault is told what was expected and what was there, and one line is a line', async () => {
  const { code, stdout, stderr } = await skyscript(['tags'], { input: '{"key":"natural","value":3}\n' })
  expect(code).toBe(2)
  expect(answers(stdout)).toEqual([{ line: 1, error: 'value: expected a string, got 3' }])
  expect(stderr).toBe("skyscript: 1 of 1 line can't be read; the first is line 1: value: expected a string, got 3\n")
  const caption = await skyscript(['caption'], { input: '{"center_tags":[]}\n{"surrounding_tags":[]}\n[]\n' })
  expect(answers(caption.stdout)).toEqual([
    { line: 1, error: 'center_tags: expected an object of strings, such as {"building":"yes"}' },
    { line: 2, error: 'center_tags: expected an object of strings, such as {"building":"yes"}' },
    { line: 3, error: 'expected an object, got a list' },
  ])
})

test('tags continues after a line that it cannot read', async () => {
  const { code, stdout } = await skyscript(['tags'], {
    input: '{"key":"natural"}\n{"key":"natural","value":"water"}\n',
  })
  expect(code).toBe(2)
  expect(answers(stdout)).toEqual([
    { line: 1, error: expect.stringContaining('value') },
    expect.objectContaining({ key: 'natural', groundable: true }),
  ])
})

test('caption and tags know both sets of labels', async () => {
  const center = { building: 'church', religion: 'christian', name: 'St. Mary', 'addr:street': 'Abbey Road' }
  const caption = async (...options: string[]) => {
    const { stdout } = await skyscript(['caption', ...options], { input: JSON.stringify({ center_tags: center }) })
    return (JSON.parse(stdout) as { title: string }).title
  }
  expect(await caption()).toBe('a satellite image of building of church')
  expect(await caption('--labels', 'visible')).toBe(await caption())
  expect(await caption('--labels', 'skyscript-2023')).toBe(
    'a satellite image of religion of christian, building of church, addr street of Abbey Road',
  )
  const tags = ['tags', '--labels', 'skyscript-2023']
  const { stdout } = await skyscript(tags, { input: '{"key":"religion","value":"hindu"}\n' })
  expect(answers(stdout)).toEqual([expect.objectContaining({ groundable: true, why: 'skyscript-2023: worship' })])
  const other = await skyscript(['caption', '--labels', 'all'], { input: '' })
  expect([other.code, other.stderr]).toEqual([1, expect.stringContaining('skyscript-2023')])
})

test('a table of tags that cannot be read is named with its line', async () => {
  await writeFile(at('tags.csv'), '\uFEFFkey,value,max_gsd\r\n\r\nzone,aa,1\r\nzone,"bb,1\r\n')
  for (const command of ['caption', 'tags']) {
    const { code, stderr } = await skyscript([command, '--tags', at('tags.csv')], { input: '' })
    expect([code, stderr]).toEqual([1, expect.stringMatching(/tags\.csv, line 4: has a quote that is never closed/)])
  }
})

async function score(csv: string) {
  await writeFile(at('pairs.csv'), csv)
  const { code, stdout, stderr } = await skyscript(['score', '--model', MODEL, '--images', at('pairs.csv')])
  return { code, stderr, rows: stdout.split('\n').slice(0, -1) }
}

test('score reads CSVs with a byte order mark, CRLF, blank lines, quotes and absolute paths', async () => {
  const { code, rows, stderr } = await score(
    `\uFEFFfilepath,title\r\nred.jpg,"a ""red"", roof"\r\n\r\n${at('red.jpg')},"a ""red"", roof"\r\n\r\n \r\n`,
  )
  expect(code, stderr).toBe(0)
  expect(rows[0]).toBe('filepath,title,similarity')
  expect(rows).toHaveLength(3)
  const [relative, absolute] = rows.slice(1).map((row) => /"a ""red"", roof",(-?\d\.\d+)$/.exec(row)![1])
  expect(absolute).toBe(relative)
})

test('score names file and line of what it cannot read, and scores the lines after it', async () => {
  const { code, rows, stderr } = await score(
    'filepath,title\nred.jpg,x,y\nred.jpg,roof\nblue.jpg\nblue.jpg,6" pipe\nblue.jpg,"water"x\ngone.jpg,roof\nblue.jpg,"two\nlines"\n',
  )
  expect(code).toBe(2)
  expect(rows.join('\n')).toMatch(
    /^filepath,title,similarity\nred\.jpg,x,\nred\.jpg,roof,-?\d\.\d+\nblue\.jpg,,\n,,\n,,\ngone\.jpg,roof,\nblue\.jpg,"two\nlines",-?\d\.\d+$/,
  )
  for (const sentence of [
    'pairs.csv, line 2: has 3 fields, but the header has 2 fields.',
    'pairs.csv, line 4: has 1 field, but the header has 2 fields.',
    'pairs.csv, line 5: has a quote inside a field that does not start with one.',
    'pairs.csv, line 6: has text after a closing quote.',
    'pairs.csv, line 7: gone.jpg: there is no such file.',
    '1 pair has no similarity (unreadable-image)',
    '4 lines of ',
  ])
    expect(stderr).toContain(sentence)
  expect(stderr).not.toMatch(/\n\s+at /)
  const broken = await score('filepath,"title\nred.jpg,roof\n')
  expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('pairs.csv, line 1: has a quote')])
})
