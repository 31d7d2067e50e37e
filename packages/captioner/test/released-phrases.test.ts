import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { createCaptioner } from '@skyscript/captioner'
import type { Labels } from '@skyscript/core'
import { expect, test } from 'vitest'
import { lacks, sharedFile } from '../../../test/support/needs.ts'

const FILE = fileURLToPath(new URL('../../../../shared/data/captions-object-phrases.ndjson', import.meta.url))
const isMissing = lacks(sharedFile('data', 'captions-object-phrases.ndjson'))

interface Released {
  readonly phrase: string
  readonly parts: readonly string[]
  readonly tags: Record<string, string>
}

test.skipIf(isMissing)(
  'by counts only 99 % of released phrases, 96 % of neighbours and 92 % of objects are given back',
  () => {
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
    expect(hits.objects![1]).toBeGreaterThan(100)
    const rate = (what: string) => hits[what]![0] / hits[what]![1]
    console.log(
      Object.entries(hits)
        .map(([what, [hit, all]]) => `${what}: ${hit} of ${all}`)
        .join(', '),
    )
    expect(rate('tags')).toBeGreaterThanOrEqual(0.99)
    expect(rate('neighbours')).toBeGreaterThanOrEqual(0.96)
    expect(rate('objects')).toBeGreaterThanOrEqual(0.92)
  },
)

test.skipIf(isMissing)('skyscript-2023 keeps 97 % of the tags of released captions, visible 84 %', () => {
  const tags = readFileSync(FILE, 'utf8')
    .trimEnd()
    .split('\n')
    .flatMap((line) => Object.entries((JSON.parse(line) as Released).tags))
  const kept = (labels: Labels) => {
    const { groundability } = createCaptioner({ labels })
    return tags.filter(([key, value]) => groundability(key, value).groundable).length / tags.length
  }
  expect(kept('skyscript-2023')).toBeGreaterThanOrEqual(0.97)
  expect(kept('visible')).toBeCloseTo(0.84, 1)
})
