import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createCaptioner } from '@skyscript/captioner'
import { expect, test } from 'vitest'

const FILE = fileURLToPath(new URL('../../../../shared/data/captions-object-phrases.ndjson', import.meta.url))
const there = existsSync(FILE)
if (!there) console.warn(`Skipped: the released phrases to compare with are not at ${FILE}.`)

interface Released {
  readonly phrase: string
  readonly parts: readonly string[]
  readonly tags: Record<string, string>
}

test.skipIf(!there)('released object phrases are given back: 99 % of tags, 96 % of neighbours, 92 % of objects', () => {
  const captioner = createCaptioner()
  const captions = (tags: Record<string, string>) => captioner.caption(tags, [], { allTags: true })
  const text = (caption: string) => caption.replace('a satellite image of ', '')
  const hits = { tags: [0, 0], neighbours: [0, 0], objects: [0, 0] } as Record<string, [number, number]>
  const count = (what: string, hit: boolean) => {
    hits[what]![0] += hit ? 1 : 0
    hits[what]![1]++
  }
  const released = readFileSync(FILE, 'utf8').trimEnd().split('\n')
  for (const { phrase, parts, tags } of released.map((line) => JSON.parse(line) as Released)) {
    for (const [i, [key, value]] of Object.entries(tags).entries()) {
      count('tags', text(captions({ [key]: value }).title) === parts[i])
    }
    const { title, titleMultiObjects } = captions(tags)
    const ours = text(title).split(', ')
    for (let i = 1; i < parts.length; i++) count('neighbours', ours.indexOf(parts[i - 1]!) < ours.indexOf(parts[i]!))
    count('objects', text(titleMultiObjects) === phrase)
  }
  const rate = (what: string) => hits[what]![0] / hits[what]![1]
  console.log(
    Object.entries(hits)
      .map(([what, [hit, all]]) => `${what}: ${hit} of ${all}`)
      .join(', '),
  )
  expect(rate('tags')).toBeGreaterThanOrEqual(0.99)
  expect(rate('neighbours')).toBeGreaterThanOrEqual(0.96)
  expect(rate('objects')).toBeGreaterThanOrEqual(0.92)
})
