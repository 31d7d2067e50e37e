import { createCaptioner, metaPickle } from '@skyscript/captioner'
import type { Box, Tags } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { captionFault } from './captions.ts'
import { checkMeta } from './meta.ts'

const TITLE = 'a satellite image of building, roof shape of gabled, light'
const OBJECT = 'a satellite image of building with roof shape of gabled and light'

test('the longer caption must describe the object of the title, then its surroundings', () => {
  expect(captionFault(TITLE, OBJECT, 3)).toBeNull()
  expect(captionFault(TITLE, `${OBJECT}, surrounded by road of footway; natural wood`, 3)).toBeNull()
  expect(captionFault('a satellite image of a, b, c', 'a satellite image of a, b with c', 2)).toBeNull()
  for (const wrong of [
    TITLE,
    `${OBJECT} and more`,
    `${OBJECT}, surrounded by `,
    'a satellite image of building and roof shape of gabled and light',
    'a satellite image of building with roof shape of gabled',
    'a satellite image of building with light and roof shape of gabled',
  ]) {
    expect(captionFault(TITLE, wrong, 3), wrong).toMatch(/does not describe/)
  }
})

test('a caption is one line without control characters or lone surrogates', () => {
  for (const part of ['\n', '\r', '\0', '\u0085', '\ud800']) {
    expect(captionFault(`a satellite image of x${part}y`, `a satellite image of x${part}y`, 1)).toMatch(
      /contains a control/,
    )
  }
})

const tags: fc.Arbitrary<Tags> = fc
  .array(
    fc.tuple(
      fc.oneof(
        fc.constantFrom('building', 'highway', 'natural', 'lit', '__proto__', 'crop'),
        fc.string({ unit: 'binary' }),
      ),
      fc.oneof(
        fc.constantFrom('yes', 'a, b', ', surrounded by ', ' with ', 'a;b', '"\r\n'),
        fc.string({ unit: 'grapheme' }),
      ),
    ),
    { maxLength: 5 },
  )
  .map((entries) => Object.fromEntries(entries))

test('captions that the captioner writes for any tags are accepted', () => {
  const captioner = createCaptioner()
  // A key of only control characters may leave no phrase; such tags are never groundable.
  const speaks = ([key]: [string, string]) => /\p{L}/u.test(key)
  const center = tags.map((some) => Object.fromEntries([...Object.entries(some).filter(speaks), ['building', 'yes']]))
  fc.assert(
    fc.property(center, fc.array(tags, { maxLength: 4 }), (focus, around) => {
      const { title, titleMultiObjects } = captioner.caption(focus, around, { allTags: true })
      expect(captionFault(title, titleMultiObjects, Object.keys(focus).length)).toBeNull()
    }),
  )
})

test('metas that the captioner pickles are accepted, and any other meta differs', () => {
  const box: Box = [1.5, 42.5, 1.51, 42.51]
  const time = fc.option(fc.integer({ min: 0, max: Date.UTC(2099, 0) }))
  const wellFormed = (value: Tags) =>
    Object.entries(value)
      .flat()
      .every((part) => part.isWellFormed())
  fc.assert(
    fc.property(tags.filter(wellFormed), fc.array(tags.filter(wellFormed)), time, (centerTags, surroundingTags, at) => {
      const meta = { box, time: at, centerTags, surroundingTags }
      const bytes = metaPickle(meta)
      expect(checkMeta('m', bytes, meta)).toEqual([])
      expect(checkMeta('m', bytes, { ...meta, time: (at ?? 0) + 60_000 })).toHaveLength(1)
      expect(checkMeta('m', bytes, { ...meta, surroundingTags: [...surroundingTags, {}] })).toHaveLength(1)
    }),
  )
})

test('captions of another style only need some text that every reader can read', () => {
  expect(captionFault('An aerial image. It shows: pier.', 'An aerial image. It shows: pier.', 3, 'other')).toBeNull()
  expect(captionFault('An aerial image.', 'An aerial image.', 1)).toMatch(/does not begin with/)
  expect(captionFault(' ', 'x', 1, 'other')).toMatch(/has no text/)
  expect(captionFault('x', 'x\u0000', 1, 'other')).toMatch(/control character/)
})
