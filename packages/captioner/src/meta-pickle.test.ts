import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lacks, PYTHON } from '../../../test/support/needs.ts'
import { type Meta, metaPickle } from './meta-pickle.ts'

const lacksPython = lacks(PYTHON)

/** Loads pickles with Python and prints every value with its type; floats by their exact hexadecimal text. */
const LOAD = `
import base64, json, pickle, pickletools, sys
def told(v):
    if type(v) is dict: return {'dict': [[told(k), told(x)] for k, x in v.items()]}
    if type(v) in (tuple, list): return {type(v).__name__: [told(x) for x in v]}
    if type(v) is float: return {'float': v.hex()}
    assert type(v) in (int, str), type(v)
    return {type(v).__name__: v}
for line in sys.stdin:
    data = base64.b64decode(line)
    ops = sorted({op.name for op, _, _ in pickletools.genops(data)})
    print(json.dumps({'value': told(pickle.loads(data)), 'ops': ops, 'proto': data[1]}))
`

interface Loaded {
  readonly value: unknown
  readonly ops: string[]
  readonly proto: number
}

function load(metas: readonly Meta[]): Loaded[] {
  const input = metas.map((meta) => metaPickle(meta).toString('base64')).join('\n')
  const output = execFileSync('python3', ['-c', LOAD], { input, encoding: 'utf8', maxBuffer: 2 ** 28 })
  return output
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Loaded)
}

/** A double as Python's float.hex writes it. */
function hex(value: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, value)
  const bits = view.getBigUint64(0)
  const sign = bits >> 63n ? '-' : ''
  const exponent = Number((bits >> 52n) & 0x7ffn)
  const mantissa = (bits & 0xfffffffffffffn).toString(16).padStart(13, '0')
  if (exponent === 0) return mantissa === '0000000000000' ? `${sign}0x0.0p+0` : `${sign}0x0.${mantissa}p-1022`
  const power = exponent - 1023
  return `${sign}0x1.${mantissa}p${power < 0 ? '-' : '+'}${Math.abs(power)}`
}

const str = (text: string) => ({ str: text.toWellFormed() })
const dict = (tags: Record<string, string>) => ({
  dict: Object.entries(tags).map(([key, value]) => [str(key), str(value)]),
})

function wanted({ box, time, centerTags, surroundingTags }: Meta): unknown {
  const date = time === null ? [] : new Date(time).toISOString().slice(0, 16).split(/[-T:]/).map(Number)
  return {
    dict: [
      [str('box'), { tuple: box.map((degrees) => ({ float: hex(degrees) })) }],
      [str('time'), { tuple: date.map((field) => ({ int: field })) }],
      [str('center_tags'), dict(centerTags)],
      [str('surrounding_tags'), { list: surroundingTags.map(dict) }],
    ],
  }
}

test.skipIf(lacksPython)('Python loads exactly the box, the time in UTC and the tags', () => {
  const meta: Meta = {
    box: [1.5, 42.5, 1.6, 42.625],
    time: Date.UTC(2019, 5, 1, 23, 59, 58),
    centerTags: { building: 'yes', 名: '家' },
    surroundingTags: [{ highway: 'track' }, {}],
  }
  const program = 'import pickle,sys; print(pickle.load(sys.stdin.buffer))'
  const printed = execFileSync('python3', ['-c', program], { input: metaPickle(meta), encoding: 'utf8' })
  expect(printed.trimEnd()).toBe(
    "{'box': (1.5, 42.5, 1.6, 42.625), 'time': (2019, 6, 1, 23, 59), 'center_tags': {'building': 'yes', '名': '家'}, 'surrounding_tags': [{'highway': 'track'}, {}]}",
  )
})

test.skipIf(lacksPython)('Python loads what was written, whatever the tags hold, and nothing in it can run', () => {
  const text = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      '\ud800',
      '__proto__',
      '\u202e',
      '',
      '\u0000',
      "'",
      'x'.repeat(255),
      'é'.repeat(128),
      'y'.repeat(70_000),
    ),
  )
  const tags = fc
    .uniqueArray(fc.tuple(text, text), { selector: ([key]) => key.toWellFormed(), maxLength: 5 })
    .map((entries) => Object.fromEntries(entries))
  const degrees = fc.double({ min: -180, max: 180, noNaN: true })
  const metas = fc.sample(
    fc.record({
      box: fc.tuple(degrees, degrees, degrees, degrees),
      time: fc.option(fc.integer({ min: -2e12, max: 4e12 })),
      centerTags: tags,
      surroundingTags: fc.array(tags, { maxLength: 4 }),
    }),
    { numRuns: 200, seed: 51 },
  )
  for (const [i, { value, ops, proto }] of load(metas).entries()) {
    expect(value).toEqual(wanted(metas[i]!))
    expect(proto).toBe(4)
    for (const op of ops) {
      expect(op).toMatch(
        /^(PROTO|STOP|MARK|EMPTY_DICT|SETITEMS|EMPTY_LIST|APPENDS|(EMPTY_)?TUPLE|BINFLOAT|BININT|(SHORT_)?BINUNICODE)$/,
      )
    }
  }
})

test('a source without a time gives an empty tuple, and half a character becomes U+FFFD', () => {
  const meta: Meta = { box: [0, 0, 1, 1], time: null, centerTags: { a: 'x\ud800y' }, surroundingTags: [] }
  const bytes = metaPickle(meta)
  expect(bytes.includes(Buffer.from('x\ufffdy'))).toBe(true)
  expect(bytes.includes(Buffer.from('time)'))).toBe(true)
})
