/** The lists and hashes that datasets are compared by. */
import { sha256 } from '@skyscript/core'
import { stringify } from 'csv-stringify/sync'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createHasher } from './hash.ts'
import { readMembers, without } from './members.ts'

test('for any captions, the members of a CSV are those that a CSV reader finds', async () => {
  const texts = fc.string({ unit: 'grapheme' }).map((text) => `${text}"\n,`)
  const lines = fc.array(fc.tuple(fc.nat(1e6), fc.oneof(texts, fc.string()), fc.oneof(texts, fc.constant(''))))
  await fc.assert(
    fc.asyncProperty(lines, fc.integer({ min: 1, max: 50 }), async (all, size) => {
      const rows = all.map(([id, ...captions]) => [`images2/n${id}_S2_20.jpg`, ...captions, '0.1'])
      const bytes = Buffer.from(stringify([['filepath', 'title', 'title_multi_objects', 's'], ...rows]))
      const chunks = async function* () {
        for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
      }
      const { codes, sha256: hash } = await readMembers(chunks())
      expect([...codes]).toEqual(all.map(([id]) => 4 * id).sort((a, b) => a - b))
      expect(hash).toBe(sha256(bytes))
    }),
  )
})

test('what one sorted list has and another lacks is found', () => {
  const numbers = fc.uniqueArray(fc.nat(60)).map((list) => Float64Array.from(list).sort())
  fc.assert(
    fc.property(numbers, numbers, (a, b) => {
      const others = new Set(b)
      expect(without(a, b)).toEqual([...a].filter((each) => !others.has(each)))
    }),
  )
})

test('different texts and numbers have different hashes, wherever they differ and however they are split', () => {
  const hasher = createHasher()
  const hashOf = (parts: readonly string[]) => {
    for (const part of parts) hasher.text(Buffer.from(part))
    return hasher.take()
  }
  const hashes = new Set<number>()
  let count = 0
  for (let i = 0; i < 100_000; i++, count++) hashes.add(hashOf([`a satellite image of building ${i}`, 'x']))
  for (let length = 0; length < 500; length++, count += 2) {
    hashes.add(hashOf(['z'.repeat(length), 'z'.repeat(500 - length)]))
    hashes.add(hashOf([`${'z'.repeat(length)}y${'z'.repeat(500 - length)}`]))
  }
  expect(hashes.size).toBe(count)
  expect(Math.max(...[...hashes].slice(0, 1000))).toBeLessThan(2 ** 53)
  hasher.text(null)
  const none = hasher.take()
  hasher.text(Buffer.from(''))
  expect(hasher.take()).not.toBe(none)
})
