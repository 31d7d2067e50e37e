import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCaptioner } from './captioner.ts'

const captioner = createCaptioner()
const order = (tags: string[]) => {
  const entries = tags.map((tag) => tag.split('=') as [string, string])
  const { title } = captioner.caption(Object.fromEntries(entries), [], { allTags: true })
  return title.replace('a satellite image of ', '').split(', ')
}

test('tags stand in the order that released captions show', () => {
  expect(order(['surface=asphalt', 'highway=residential'])).toEqual(['road of residential', 'surface of asphalt'])
  expect(order(['highway=footway', 'surface=asphalt'])).toEqual(['surface of asphalt', 'road of footway'])
  const chain: [string, string][] = [
    ['oneway=yes', 'oneway'],
    ['lanes=2', 'lanes of 2'],
    ['highway=tertiary', 'road of tertiary'],
    ['lit=yes', 'light'],
    ['highway=secondary', 'road of secondary'],
    ['highway=primary', 'highway of primary'],
    ['lanes=3', 'lanes of 3'],
    ['highway=motorway', 'highway of freeway'],
    ['lanes=5', 'lanes of 5'],
  ]
  for (const [i, [tag, phrase]] of chain.entries()) {
    for (const [later, after] of chain.slice(i + 1)) {
      if (later.split('=')[0] !== tag.split('=')[0]) expect(order([later, tag])).toEqual([phrase, after])
    }
  }
})

test('the order of tags in the input never matters, known or not', () => {
  const tag = fc.oneof(
    fc.tuple(
      fc.constantFrom('building', 'surface', 'lanes', 'voltage', 'x'),
      fc.constantFrom('yes', 'asphalt', '2', 'q'),
    ),
    fc.tuple(fc.string(), fc.string()),
  )
  const tags = fc.uniqueArray(tag, { selector: ([key]) => key, minLength: 1, maxLength: 6 })
  const shuffled = tags.chain((list) =>
    fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
  )
  fc.assert(
    fc.property(shuffled, ([one, other]) => {
      fc.pre(one.some(([key, value]) => /[a-z\d]/.test(key + value)))
      const caption = (list: [string, string][]) => captioner.caption(Object.fromEntries(list), [], { allTags: true })
      expect(caption(one)).toEqual(caption(other))
    }),
  )
})

test('the rules of the user may replace the order and other tables', () => {
  const own = createCaptioner({
    rules: 'tagOrder: [surface=asphalt, highway=residential]\nkeyNames: { surface: ground }\n',
  })
  const { title } = own.caption({ highway: 'residential', surface: 'asphalt', leisure: 'pitch' }, [])
  expect(title).toBe('a satellite image of ground of asphalt, road of residential, leisure of pitch')
  expect(own.fingerprint).not.toBe(captioner.fingerprint)
})

test('rules that cannot be read are refused by name', () => {
  expect(() => createCaptioner({ rules: '{' })).toThrow(/captions\.rules is not YAML or JSON/)
  expect(() => createCaptioner({ rules: 'noConector: [power]' })).toThrow(/captions\.rules: .*noConector/)
  expect(() => createCaptioner({ rules: 'tagOrder: [power]' })).toThrow(/tagOrder\[0\] must be key=value/)
})
