import { Tokenizer } from '@huggingface/tokenizers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { makeTokenizer } from './tokenizer.ts'

const made = makeTokenizer(
  ['a satellite image of road of track, surface of gravel', 'a satellite image of natural water', 'road of track'],
  200,
)
const tokenizer = new Tokenizer(JSON.parse(made.json), {})

test('words that captions repeat become one token, others fall apart into pieces', () => {
  expect(tokenizer.tokenize('Satellite  IMAGE of track, gravel9')).toEqual([
    'satellite</w>',
    'image</w>',
    'of</w>',
    'track</w>',
    ',</w>',
    ...['g', 'ra', 'v', 'e', 'l</w>', '9</w>'],
  ])
})

test('any text has ids of the vocabulary, between the start and the end token', () => {
  const [start, end] = [made.size - 2, made.size - 1]
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (text) => {
      const { ids } = tokenizer.encode(text)
      expect(ids[0]).toBe(start)
      expect(ids.at(-1)).toBe(end)
      for (const id of ids) expect(id).toBeLessThan(made.size)
    }),
  )
})

test('the same captions give the same tokenizer', () => {
  const captions = ['b a', 'ab ab', 'ba ba']
  expect(makeTokenizer(captions, 5)).toEqual(makeTokenizer(captions, 5))
})
