import { InputError } from '@skyscript/core'
import { expect, test } from 'vitest'
import {
  checkEnoughClasses,
  detect,
  parseClassList,
  parsePrompts,
  RowFaults,
  readBinaryRows,
  readCaptionedRows,
  readLabelledRows,
} from '../src/index.ts'

const CLASSES = ['lake', 'golf course', 'dam', 'beach', 'rock land']

async function* pieces(text: string) {
  yield text
}
const source = (text: string) => ({ name: 'p.csv', chunks: pieces(text) })
const faults = (skip = false) => new RowFaults('p.csv', { skip })
const labelled = (text: string, given = faults()) =>
  readLabelledRows(source(text), { column: 'label', classes: CLASSES, faults: given })

async function refusal(work: () => unknown): Promise<string> {
  try {
    await work()
  } catch (error) {
    if (error instanceof InputError) return error.message
    throw error
  }
  return 'accepted'
}

test('labels are names of classes, and rows without one are left out as the original does', async () => {
  const text = 'title,label,filepath\nx,dam,a.jpg\n\nx,,b.jpg\nx,NaN,c.jpg\n"x, y","golf course",d.jpg\r\n'
  expect(await labelled(text)).toEqual({
    rows: [
      { line: 2, path: 'a.jpg', label: 2 },
      { line: 6, path: 'd.jpg', label: 1 },
    ],
    withoutLabel: 2,
  })
})

test('in a column of numbers a label is the line of its class from 0', async () => {
  expect((await labelled('filepath,label\na,4\nb,0.0\nc,\n')).rows.map(({ label }) => label)).toEqual([4, 0])
  expect(await refusal(() => labelled('filepath,label\na,5\n'))).toMatch(/^p\.csv, line 2: the label 5 is a number/)
  expect(await refusal(() => labelled('filepath,label\na,0.5\n'))).toMatch(/line 2: the label 0.5/)
  expect(await refusal(() => labelled('filepath,label\na,1\nb,dam\n'))).toMatch(/line 2: the label "1" is not in/)
})

test('a row that cannot be used is refused with its line, or left out and counted by reason', async () => {
  const text = 'filepath,label\na.jpg,Dam\nb.jpg,dam\nc.jpg\n,dam\n"d"x,dam\ne.jpg,lake\n'
  expect(await refusal(() => labelled(text))).toMatch(/^p\.csv, line 4: has 1 field/)
  const unknown = await refusal(() => labelled(text.slice(0, 25)))
  expect(unknown).toMatch(/^p\.csv, line 2: the label "Dam" is not .*, which has "dam"/)
  const skipping = faults(true)
  expect((await labelled(text, skipping)).rows.map(({ line }) => line)).toEqual([3, 7])
  expect(skipping.skipped).toEqual({ 'bad-line': 2, 'missing-image': 1, 'unknown-label': 1 })
  expect(await refusal(() => labelled('filepath,name\na,dam\n'))).toBe(
    'p.csv has no column "label"; it has filepath, name.',
  )
  expect(await refusal(() => labelled(''))).toMatch(/^p\.csv is empty/)
})

test('captions get the prefix, and an empty one is a fault', async () => {
  const options = { column: 'title', prefix: 'a satellite image. ' }
  const rows = await readCaptionedRows(source('filepath,title\na,x\na,x\nb,None y\n'), { ...options, faults: faults() })
  const prefixed = ['x', 'x', 'None y'].map((caption) => options.prefix + caption)
  expect(rows.map(({ caption }) => caption)).toEqual(prefixed)
  const empty = () => readCaptionedRows(source('filepath,title\na,x\nb,\n'), { ...options, faults: faults() })
  expect(await refusal(empty)).toMatch(/^p\.csv, line 3: the column "title" is empty/)
})

test('a class list is read as the original reads it, and what it would misread is refused with its line', async () => {
  expect(parseClassList('\uFEFF a b \r\nc\r\n', 'c.txt')).toEqual(['a b', 'c'])
  const said = (text: string) => refusal(() => parseClassList(text, 'c.txt'))
  expect(await said('')).toBe('c.txt is empty; write the name of one class on each line.')
  expect(await said('\n\n')).toMatch(/^c\.txt is empty/)
  expect(await said('a\n\nb\n')).toMatch(/^c\.txt, line 2: is blank/)
  expect(await said('a\nb\n\n')).toMatch(/^c\.txt, line 3: is blank/)
  expect(await said('a\nb\na\n')).toMatch(/^c\.txt, line 3: repeats the class "a" of line 1/)
  for (const number of ['3', '-1.5', '1e5', '.5', 'inf'])
    expect(await said(`a\n${number}`)).toMatch(/line 2: .* number/)
  expect(await said('TRUE\na')).toMatch(/line 1: .* truth value/)
  expect(await said('null')).toMatch(/line 1: .* empty field/)
  const few = await refusal(() => checkEnoughClasses(CLASSES.slice(1), 'c.txt'))
  expect([few, await refusal(() => checkEnoughClasses(CLASSES, 'c.txt'))]).toEqual([
    'c.txt has 4 classes, but top-5 accuracy needs at least 5; add classes.',
    'accepted',
  ])
})

test('prompts of a file need a place for the class', async () => {
  expect(parsePrompts('a {c}.\r\n\nsee {c}\n', 't.txt')).toEqual(['a {c}.', 'see {c}'])
  expect(await refusal(() => parsePrompts('a {c}\nb {}\n', 't.txt'))).toMatch(/^t\.txt, line 2: a prompt needs \{c\}/)
  expect(await refusal(() => parsePrompts('\n', 't.txt'))).toMatch(/^t\.txt has no prompts/)
})

test('one class is told from others by the threshold with the best F1', async () => {
  const text = 'filepath,binary\na,1\nb,0\nc,1\nd,0\n'
  const { rows } = await readBinaryRows(source(text), { column: 'binary', faults: faults() })
  const shown = rows.map((row) => row.shown)
  // The first of the thresholds between 0.1 and 0.3: -1 + 0.02 x 56.
  const found = detect([0.5, 0.1, 0.3, 0.4], shown)
  expect(found).toMatchObject({ n: 4, positives: 2, threshold: expect.closeTo(0.12, 9) })
  expect(found.precision).toBeCloseTo(2 / 3, 6)
  expect([found.recall, found.f1]).toEqual([expect.closeTo(1, 6), expect.closeTo(0.8, 6)])
  // The positives are the first and the third: (1/1 + 2/3) / 2.
  expect(found.average_precision).toBeCloseTo(5 / 6, 12)
  expect(detect([0.2, 0.2, 0.2, 0.2], shown).average_precision).toBe(0.5)
  const bad = () => readBinaryRows(source('filepath,binary\na,2\n'), { column: 'binary', faults: faults() })
  expect(await refusal(bad)).toMatch(/^p\.csv, line 2: .* must be 0 or 1, not "2"/)
})

test('rows of a binary column without a label are left out as the original does, where there is a column of labels', async () => {
  const text = 'filepath,label,binary\na,dam,1\nb,,0\nc,lake,0\n'
  const { rows, withoutLabel } = await readBinaryRows(source(text), { column: 'binary', faults: faults() })
  expect([rows.map(({ path }) => path), withoutLabel]).toEqual([['a', 'c'], 1])
})
