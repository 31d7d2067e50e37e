import type { DatasetRow } from '@skyscript/dataset'

const WORDS =
  'building house road residential asphalt footway surface landuse forest natural water power pole cables voltage tertiary amenity parking leisure land pitch grass service driveway crossing tower crop field barrier fence'.split(
    ' ',
  )
/** Phrases that captions are put together from. */
const PHRASES = 4096

/**
 * Pairs of the size of the original's: titles of 11 words, captions of 30, six objects around, similarities in a bell
 * around 0.22, all over a country. The same ones every time.
 */
export function* pairsLike(count: number): Generator<DatasetRow> {
  let state = 12_345
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!
  const phrases = (words: number) =>
    Array.from({ length: PHRASES }, () => Array.from({ length: words }, () => pick(WORDS)).join(' '))
  const [short, long] = [phrases(7), phrases(9)]
  const tags = Array.from({ length: PHRASES }, () => ({ [pick(WORDS)]: pick(WORDS) }))
  const hex = () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  for (let i = 0; i < count; i++) {
    const id = `${'nwa'[i % 3]}${100_000_000 + i * 7}`
    const [west, south] = [-124 + random() * 57, 25 + random() * 24]
    const title = `a satellite image of ${pick(short)}`
    const filepath = `images${2 + (i % 6)}/${id}_US_21.jpg`
    const similarity = 0.22 + (random() + random() + random() + random() - 2) / 10
    yield {
      image: {
        id,
        filepath,
        source: 'US',
        origin: 'earthengine',
        imageId: `USDA/NAIP/DOQQ/m_${4_000_000 + (i >> 10)}_ne_18_060_20210821`,
        time: 1_600_000_000_000 + (i >> 10) * 1000,
        gsd: 0.6,
        box: [west, south, west + 0.002, south + 0.002],
        width: 100 + (i % 800),
        height: 100 + (i % 700),
        bytes: 16_000,
        sha256: hex() + hex() + hex() + hex() + hex() + hex() + hex() + hex(),
      },
      caption: {
        id,
        filepath,
        title,
        titleMultiObjects: `${title}, surrounded by ${pick(long)}; ${pick(long)}`,
        geometry: hex() + hex(),
        centerTags: pick(tags),
        surroundingTags: [pick(tags), pick(tags), pick(tags), pick(tags), pick(tags), pick(tags)],
      },
      edit: { version: 1 + (i % 9), timestamp: '2021-03-04T05:06:07Z' },
      similarities: [similarity],
      phash: hex() + hex(),
    }
  }
}
