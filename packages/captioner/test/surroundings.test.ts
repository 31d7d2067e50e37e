import fc from 'fast-check'
import { expect, test } from 'vitest'
import { expectListed } from '../../../test/support/folder-list.ts'
import { ARRANGING, NAMING, NAMING_WITH_DIRECTIONS } from '../src/surroundings/index.ts'
import type { Scene, Surrounding, SurroundingRule } from '../src/surroundings/surrounding.ts'
import type { TagFact } from '../src/tag-facts.ts'

const USED: readonly SurroundingRule[] = [...new Set([...ARRANGING, ...NAMING, ...NAMING_WITH_DIRECTIONS])]

const fact = (key: string, value: string): TagFact => ({
  key,
  value,
  rank: 0,
  keyCount: 0,
  seenTo: 1,
  isLeak: false,
  phrase: `${key} of ${value}`,
  draft: { key, value, prefix: '', keyText: key, connector: 'of', valueText: value },
})
const scene: Scene = {
  focus: { phrase: 'a of x', geometry: { type: 'Point', coordinates: [0.5, 0.5] } },
  box: [0, 0, 1, 1],
}
const surrounding: fc.Arbitrary<Surrounding> = fc
  .record({
    id: fc.nat(50).map(String),
    tag: fc.constantFrom<[string, string]>(['a', 'x'], ['b', 'y'], ['highway', 'track'], ['c', 'z']),
    share: fc.constantFrom(0, 0.25, 0.5),
    at: fc.tuple(fc.constantFrom(0.1, 0.5, 0.9), fc.constantFrom(0.1, 0.5, 0.9)),
  })
  .map(({ id, tag, share, at }) => {
    const facts = [fact(...tag), fact('d', 'w')]
    const phrase = facts.map((each) => each.phrase).join(' with ')
    const geometry = { type: 'Point' as const, coordinates: at }
    return {
      id,
      geometry,
      seen: { facts, named: facts, phrase, tags: {} },
      facts,
      phrase,
      share,
      count: 1,
      direction: null,
    }
  })

test('every file of the folder is one rule of that name, and each is in use', async () => {
  const folder = new URL('../src/surroundings/', import.meta.url)
  await expectListed(folder, USED, { others: ['surrounding'], nameOf: ({ name }) => name })
})

test('a rule changes no object that it was given, names none that was not there, and says the same each time', () => {
  fc.assert(
    fc.property(fc.constantFrom(...USED), fc.array(surrounding, { maxLength: 9 }), ({ apply }, objects) => {
      const before = structuredClone(objects)
      const made = apply(objects.map(Object.freeze) as Surrounding[], scene)
      expect(objects).toEqual(before)
      expect(apply(objects, scene)).toEqual(made)
      const ids = new Set(objects.map(({ id }) => id))
      for (const { id } of made) expect(ids).toContain(id)
    }),
  )
})

test('no object is lost count of where like ones are named once', () => {
  const counted = (objects: readonly Surrounding[]) => objects.reduce((sum, { count }) => sum + count, 0)
  const once = NAMING.find(({ name }) => name === 'once-each')!
  fc.assert(
    fc.property(fc.array(surrounding), (objects) => {
      const named = once.apply(objects, scene)
      expect(counted(named)).toBe(objects.length)
      expect(new Set(named.map(({ phrase }) => phrase)).size).toBe(named.length)
    }),
  )
})
