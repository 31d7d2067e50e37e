import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dict, float, int, list, pickle, text, tuple } from '../../test/support/test-dataset.ts'
import { PickleError, type PickleValue, readPickle } from './pickle.ts'

/** CPython 3.11's pickle.dumps of the value in the first test, in protocols 2, 4 and 5. */
const BY_PYTHON = [
  '80027d7100285803000000626f787101473ff800000000000047c000000000000000867102580400000074696d657103284de3074b064b014a701101004affffffff74710458010000006371057d7106580100000061710768077358010000007371085d7109287d710a7d710b5803000000e5908d710c6807735d710d6558010000006e710e4e580100000065710f2958010000007471104b014b024b0387711158010000004c71128a06000000000001752e',
  '80049580000000000000007d94288c03626f7894473ff800000000000047c00000000000000086948c0474696d6594284de3074b064b014a701101004affffffff74948c0163947d948c0161946807738c0173945d94287d947d948c03e5908d946807735d94658c016e944e8c016594298c0174944b014b024b0387948c014c948a06000000000001752e',
  '80059580000000000000007d94288c03626f7894473ff800000000000047c00000000000000086948c0474696d6594284de3074b064b014a701101004affffffff74948c0163947d948c0161946807738c0173945d94287d947d948c03e5908d946807735d94658c016e944e8c016594298c0174944b014b024b0387948c014c948a06000000000001752e',
]

/** Lists as arrays, dicts as maps, tuples tagged by name, so that a test can tell them apart. */
function plain(value: PickleValue): unknown {
  if (value.type === 'none') return null
  if (value.type === 'tuple') return { tuple: value.items.map(plain) }
  if (value.type === 'list') return value.items.map(plain)
  if (value.type === 'dict') return new Map(value.entries.map(([key, member]) => [plain(key), plain(member)]))
  return value.value
}

test('pickles written by Python are read correctly in every protocol', () => {
  for (const hex of BY_PYTHON) {
    expect(plain(readPickle(Buffer.from(hex, 'hex')))).toEqual(
      new Map<string, unknown>([
        ['box', { tuple: [1.5, -2] }],
        ['time', { tuple: [2019, 6, 1, 70000, -1] }],
        ['c', new Map([['a', 'a']])],
        ['s', [new Map(), new Map([['名', 'a']]), []]],
        ['n', null],
        ['e', { tuple: [] }],
        ['t', { tuple: [1, 2, 3] }],
        ['L', 2 ** 40],
      ]),
    )
  }
})

test('an int is not a float', () => {
  expect(readPickle(pickle(int(1)))).toEqual({ type: 'int', value: 1 })
  expect(readPickle(pickle(float(1)))).toEqual({ type: 'float', value: 1 })
})

test('a pickle that would call a function is refused at that opcode', () => {
  // os.system('id') in protocol 0 after a protocol mark, and REDUCE of a global in protocol 4.
  const attacks = ["\x80\x02cos\nsystem\n(S'id'\ntR.", '\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x02id\x85R.']
  for (const attack of attacks) {
    expect(() => readPickle(Buffer.from(attack, 'latin1'))).toThrow(/is not one of plain data at byte \d+$/)
  }
  const allowed = new Set(Buffer.from('\x80\x95.(NKMJ\x8aG\x8cX\x8d)\x85\x86\x87t]ae}su\x94qrhj', 'latin1'))
  for (let opcode = 0; opcode < 256; opcode++) {
    if (allowed.has(opcode)) continue
    const bytes = Buffer.from([0x80, 4, opcode, ...Buffer.alloc(16)])
    expect(() => readPickle(bytes), `opcode ${opcode}`).toThrow('is not one of plain data at byte 2')
  }
})

test('truncated, extended and malformed pickles are refused', () => {
  const whole = pickle(dict([[text('a'), tuple([int(1), float(2)])]]))
  for (let length = 0; length < whole.length; length++) {
    expect(() => readPickle(whole.subarray(0, length))).toThrow(PickleError)
  }
  const refused: [Buffer, string][] = [
    [Buffer.concat([whole, Buffer.from([0])]), '1 bytes follow the end'],
    [pickle(Buffer.from(')s')), 'too few values'],
    [pickle(Buffer.from(')))s')), 'items are set in a tuple'],
    [pickle(Buffer.from('))a')), 'appended to a tuple'],
    [pickle(Buffer.from('}()u')), 'a key has no value'],
    [pickle(Buffer.from('t')), 'there is no mark'],
    [pickle(Buffer.from('h\x05')), 'memo 5 was never set'],
    [pickle(Buffer.from('))')), '2 values are left'],
    [pickle(Buffer.from('(')), 'the stack holds no value'],
    [pickle(Buffer.from([0x8c, 1, 0xff])), 'not UTF-8'],
    [pickle(Buffer.from([0x8d, 255, 255, 255, 255, 255, 255, 255, 127])), 'beyond the end'],
    [pickle(Buffer.from([0x8a, 8, 0, 0, 0, 0, 0, 0, 0, 64])), 'larger than a double holds'],
    [Buffer.from([0x80, 6, 0x4e, 0x2e]), 'protocol 6'],
    [Buffer.from('(dp0\n.'), 'no protocol mark'],
  ]
  for (const [bytes, message] of refused) expect(() => readPickle(bytes)).toThrow(message)
})

test('any value round-trips, and arbitrary bytes only cause a PickleError', () => {
  const strings = fc.string({ unit: 'grapheme' })
  const value = fc.letrec<{ node: Buffer }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small' },
      strings.map(text),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(int),
      fc.double().map(float),
      fc.array(tie('node')).map(list),
      fc.array(tie('node')).map(tuple),
      fc.array(fc.tuple(strings.map(text), tie('node'))).map(dict),
    ),
  })).node
  fc.assert(fc.property(value, (bytes) => void readPickle(pickle(bytes))))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
      try {
        readPickle(Buffer.concat([Buffer.from([0x80, 4]), bytes]))
      } catch (error) {
        expect(error).toBeInstanceOf(PickleError)
      }
    }),
    { numRuns: 2000 },
  )
})
