import { expect, test } from 'vitest'
import { storeFinished } from '../test/support/finished-dataset.ts'
import { parseLock } from './lock.ts'

type Json = Record<string, unknown>

const whole = JSON.parse(Buffer.from((await storeFinished()).files.get('dataset.lock.json')!).toString()) as Json

/** The lock with one field, such as `a.b.0`, set to a value or removed. */
function changed(path: string, value: unknown): Json {
  const lock = structuredClone(whole)
  const keys = path.split('.')
  const last = keys.pop()!
  const parent = keys.reduce((at, key) => at[key] as Json, lock)
  if (value === undefined) delete parent[last]
  else parent[last] = value
  return lock
}

test.each<[path: string, value: unknown, sentence: string]>([
  ['fingerprint', 3, 'fingerprint: expected a string, got 3'],
  ['config.name', undefined, 'config.name: is missing; expected a string'],
  ['config.filter', [], 'config.filter: expected an object, got a list'],
  ['config.filter.top', '30', 'config.filter.top: expected a list, got a string'],
  ['config.filter.top.1', 30.5, 'config.filter.top[1]: expected a whole number, got 30.5'],
  ['config.filter.scorers', [], 'config.filter.scorers: must not be empty'],
  ['config.filter.split.by', 'year', 'config.filter.split.by: must be one of block, image'],
  ['config.filter.split.degrees', null, 'config.filter.split.degrees: must be "auto" or a number'],
  ['counts.kept', -1, 'counts.kept: must be at least 0'],
  ['counts.dropped.rain', 'two', 'counts.dropped.rain: expected a number, got a string'],
  ['counts.objects', 2 ** 60, 'counts.objects: must be at most 9007199254740991'],
  ['inputs.0.box', [1, 2, 3], 'inputs[0].box: must have at least 4 entries'],
  ['files', { 'a.csv': { sha256: 'x' } }, 'files.a.csv: expected a string, got an object'],
])('a lock whose %s is %j is reported in one sentence', (path, value, sentence) => {
  expect(parseLock(changed(path, value))).toEqual({ faults: [sentence] })
})

test('all faults of a lock are reported', () => {
  expect(parseLock({ ...whole, fingerprint: null, rows: 5, tool: undefined })).toEqual({
    faults: [
      'tool: is missing; expected an object',
      'fingerprint: expected a string, got null',
      'rows: expected an object, got 5',
    ],
  })
  expect(parseLock('lock')).toEqual({ faults: ['expected an object, got a string'] })
})

test('a lock of an older dataset, which lacks later settings, is read with their defaults', () => {
  const checked = parseLock(changed('config.captions', {}))
  expect(checked).toMatchObject({
    value: {
      config: {
        captions: { templates: ['skyscript'], maxTokens: null },
        filter: { above: [], maxPerTag: null, maxSameCaption: null, exclude: null },
      },
      origins: {},
    },
  })
})
