import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createCaptioner } from '../src/index.ts'

test('tags have a maximum GSD exactly where one of them is among the visible ones', () => {
  const captioner = createCaptioner({ tags: 'key,value,max_gsd\nnatural,tree,0.6\nname,Visible,10\nnatural,wood,\n' })
  const known = [...captioner.visibleTags].flatMap(([key, values]) => [...values].map((value) => [key, value] as const))
  expect(known.length).toBeGreaterThan(1000)
  const isVisible = (key: string, value: string) => captioner.visibleTags.get(key)?.has(value) ?? false
  expect(isVisible('natural', 'wood')).toBe(false)
  expect(isVisible('name', 'Visible')).toBe(false)
  const tag = fc.oneof(
    fc.constantFrom(...known),
    fc.tuple(fc.string(), fc.string()),
    fc.constant(['name', 'Visible'] as const),
  )
  fc.assert(
    fc.property(fc.array(tag, { maxLength: 4 }), (tags) => {
      const object = Object.fromEntries(tags)
      expect(captioner.maxGsd(object) !== null).toBe(
        Object.entries(object).some(([key, value]) => isVisible(key, value)),
      )
    }),
  )
})
