/** What STAC catalogues contain and how they can be searched. */
import type { Box, ServiceError } from '@skyscript/core'
import { afterAll, describe, expect, test } from 'vitest'
import { searchItems } from '../src/cog/stac.ts'
import { assetOf, partsAt180 } from '../src/cog/stac-item.ts'
import { createHttp } from '../src/http.ts'
import { createLimiter } from '../src/limiter.ts'
import { refusalOf } from '../src/refusals.ts'
import { cogSource } from './cog-set-up.ts'
import { startService } from './service.ts'

const closers: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closers) await close()
})

const BOX: Box = [7.4, 46.9, 7.5, 47]

/** Which searches a catalogue accepts, and what it returns. */
interface Catalogue {
  readonly items: readonly unknown[]
  readonly isGetOnly?: boolean
  readonly hasNoQuery?: boolean
  /** A larger limit is refused. */
  readonly mostPerPage?: number
  /** Its link to the next page: GET, or POST with the whole query or with what to add to it. */
  readonly next?: 'get' | 'post' | 'merge' | 'replace'
}

const item = (id: string, changes: object = {}) => ({
  id,
  bbox: [7.3, 46.8, 7.6, 47.1],
  properties: { datetime: '2020-06-01T10:00:00Z', cloud: 3 },
  assets: { visual: { href: 'https://example.org/a.tif' } },
  ...changes,
})

async function start({ items, isGetOnly, hasNoQuery, mostPerPage, next = 'post' }: Catalogue) {
  const asked: Record<string, unknown>[] = []
  const service = await startService((request, response, _, body) => {
    const url = new URL(request.url!, service.url)
    const isPost = request.method === 'POST'
    const answer = (status: number, json: unknown) =>
      void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(json))
    if (isPost && isGetOnly) return answer(405, { detail: 'Method Not Allowed' })
    const question: Record<string, unknown> = isPost ? JSON.parse(body) : Object.fromEntries(url.searchParams)
    asked.push(question)
    if (hasNoQuery && 'query' in question) return answer(400, { detail: 'query: extra fields not permitted' })
    const limit = Number(question.limit ?? 10)
    if (limit > (mostPerPage ?? 10_000)) return answer(400, { detail: 'limit is too large' })
    if (String(question.collections) !== 'c') return answer(422, { detail: 'no collections' })
    const from = Number(question.token ?? 0)
    const features = items.slice(from, from + limit)
    const token = from + limit
    const href = `${service.url}/search`
    const links = {
      get: {
        rel: 'next',
        href: `/search?${new URLSearchParams({ collections: 'c', limit: String(limit), token: String(token) })}`,
      },
      post: { rel: 'next', href, method: 'POST', body: { token } },
      merge: { rel: 'next', href, method: 'POST', merge: true, body: { token } },
      replace: { rel: 'next', href, method: 'POST', merge: false, body: { collections: ['c'], limit, token } },
    }
    return answer(200, { features, links: token < items.length ? [{ rel: 'self', href }, links[next]] : [] })
  })
  const http = createHttp({ limiter: createLimiter({ maxConcurrent: 8, perSecond: 1000 }), maxConcurrent: 8 })
  closers.push(
    () => http.close(),
    () => service.close(),
  )
  const source = cogSource({ stac: service.url, collection: 'c', cloudProperty: 'cloud' })
  return { asked, search: (box = BOX) => searchItems(source, box, 20, http) }
}

describe('a search', () => {
  const many = Array.from({ length: 1234 }, (_, i) => item(`i${String(i).padStart(4, '0')}`))

  test.each(['get', 'post', 'merge', 'replace'] as const)('reads all pages, linked by %s', async (next) => {
    const { search, asked } = await start({ items: many, next })
    expect((await search()).map(({ id }) => id)).toEqual(many.map(({ id }) => id))
    expect(asked).toHaveLength(13)
    if (next === 'replace') expect(asked[1]).not.toHaveProperty('bbox')
  })

  test.each([
    ['with GET only', { isGetOnly: true, next: 'get' }],
    ['with GET only, without the query extension', { isGetOnly: true, hasNoQuery: true, next: 'get' }],
    ['without the query extension', { hasNoQuery: true }],
    ['in pages of 50', { mostPerPage: 50 }],
    ['in pages of 30, without the query extension', { mostPerPage: 30, hasNoQuery: true }],
    ['in pages of 10', { mostPerPage: 10 }],
  ] as const)('works %s; clouds are still filtered, and the next search remembers the form', async (_, manner) => {
    const clouds = [3, 20, 21, undefined].map((cloud, i) => item(`c${i}`, { properties: { cloud } }))
    const { search, asked } = await start({ items: [...clouds, ...many], ...manner })
    const found = await search()
    expect(found).toHaveLength(1237)
    expect(found.some(({ id }) => id === 'c2')).toBe(false)
    const before = asked.length
    await search()
    const pages = Math.ceil(1238 / Math.min(100, Number(asked.at(-1)!.limit ?? 10)))
    expect(asked.length - before).toBe(pages)
  })

  test('that is refused in every form fails with the first refusal', async () => {
    const { search, asked } = await start({ items: [], mostPerPage: -1 })
    await expect(search()).rejects.toMatchObject({ message: expect.stringContaining('limit is too large') })
    expect(asked.length).toBeLessThan(20)
  })

  test.each([404, 410])(
    'that is answered %i, on the first or a later page, says nothing about its images',
    async (status) => {
      for (const pages of [0, 1]) {
        const service = await startService((_, response) => {
          const next = { features: [item('a')], links: [{ rel: 'next', href: '/more' }] }
          if (asked++ < pages) response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(next))
          else response.writeHead(status).end('no such page')
        })
        let asked = 0
        const http = createHttp({ limiter: createLimiter({ maxConcurrent: 2, perSecond: 100 }), maxConcurrent: 2 })
        closers.push(service.close, () => http.close())
        const source = cogSource({ stac: service.url, collection: 'c' })
        const error = await searchItems(source, BOX, 20, http).catch((reason: unknown) => reason)
        expect(error).toMatchObject({ name: 'ServiceError', message: expect.stringContaining(String(status)) })
        expect(refusalOf(error)).toBe('later')
      }
    },
  )

  test('of a catalogue with endless next links ends, with every item once', async () => {
    const features = Array.from({ length: 250 }, (_, i) => item(`i${i}`))
    const answers = [
      () => ({ features, links: [{ rel: 'next', href: '/search?again' }] }),
      (n: number) => ({ features, links: [{ rel: 'next', href: `/search?page=${n}` }] }),
      (n: number) => ({ features: [], links: [{ rel: 'next', href: `/search?page=${n}` }] }),
    ]
    for (const answer of answers) {
      let asked = 0
      const http = { json: async () => structuredClone(answer(++asked)) }
      const source = cogSource({ stac: 'https://example.org', collection: 'c' })
      const found = await searchItems(source, BOX, 20, http as never)
      expect(found).toHaveLength(answer(1).features.length)
      expect(asked).toBeLessThan(6)
    }
    let asked = 0
    const endless = () => ({
      features: Array.from({ length: 5000 }, (_, i) => item(`i${asked}-${i}`)),
      links: [{ rel: 'next', href: `/search?page=${++asked}` }],
    })
    const http = { json: async () => endless() }
    const source = cogSource({ stac: 'https://example.org', collection: 'c' })
    await expect(searchItems(source, BOX, 20, http as never)).rejects.toThrow(/more than 50000 images of c.*bbox/)
  })
})

describe('the location of an item', () => {
  const polygon = (...ring: number[][]) => ({ type: 'Polygon', coordinates: [[...ring, ring[0]]] })
  const idsAt = async (box: Box, ...items: object[]) => {
    const http = { json: async () => ({ features: structuredClone(items) }) }
    const source = cogSource({ stac: 'https://example.org', collection: 'c' })
    return searchItems(source, box, 20, http as never)
  }

  test('is its area rather than its box, and an item without a box has its area', async () => {
    const half = polygon([7, 46], [8, 46], [7, 47.5])
    const found = await idsAt(
      BOX,
      item('half', { bbox: [7, 46, 8, 47.5], geometry: half }),
      item('far', { bbox: [7, 46, 8, 47.5], geometry: polygon([7, 46], [7.3, 46], [7, 47.5]) }),
      item('no-box', { bbox: undefined, geometry: polygon([7, 46], [8, 46], [8, 48], [7, 48]) }),
      item('parts', { geometry: { type: 'MultiPolygon', coordinates: [half.coordinates] } }),
      item('point', { geometry: { type: 'Point', coordinates: [7.45, 46.95] } }),
      item('nowhere', { bbox: undefined, geometry: null }),
    )
    expect(found.map(({ id }) => id)).toEqual(['half', 'no-box', 'parts', 'point'])
    expect(found[0]!.footprint).toEqual([7, 46, 8, 47.5])
    expect(found.find(({ id }) => id === 'point')!.outline).toBeNull()
  })

  const FIJI: object[] = [
    item('box', { bbox: [179.5, -17.5, -179.5, -16.5] }),
    item('heights', { bbox: [179.5, -17.5, 0, -179.5, -16.5, 100] }),
    item('beyond', { bbox: [179.5, -17.5, 180.5, -16.5] }),
    item('before', { bbox: [-180.5, -17.5, -179.5, -16.5] }),
    item('area', {
      bbox: [-180, -17.5, 180, -16.5],
      geometry: polygon([179.5, -17.5], [-179.5, -17.5], [-179.5, -16.5], [179.5, -16.5]),
    }),
    item('cut', {
      bbox: [-180, -17.5, 180, -16.5],
      geometry: {
        type: 'MultiPolygon',
        coordinates: [
          polygon([179.5, -17.5], [180, -17.5], [180, -16.5], [179.5, -16.5]).coordinates,
          polygon([-180, -17.5], [-179.5, -17.5], [-179.5, -16.5], [-180, -16.5]).coordinates,
        ],
      },
    }),
  ]
  const ALL = ['area', 'before', 'beyond', 'box', 'cut', 'heights']

  test('may cross 180 degrees, as a box or any kind of area, and is found from both sides', async () => {
    for (const [box, west] of [
      [[179.9, -17.1, 180, -17], 179.5],
      [[-180, -17.1, -179.9, -17], -180.5],
      [[179.95, -17.1, 180.05, -17], 179.5],
    ] as const) {
      const found = await idsAt([...box] as Box, ...FIJI)
      expect(found.map(({ id }) => id)).toEqual(ALL)
      for (const { id, footprint } of found) expect(footprint, id).toEqual([west, -17.5, west + 1, -16.5])
    }
    expect(await idsAt([178, -17.1, 178.1, -17], ...FIJI)).toEqual([])
    expect(await idsAt([0, -17.1, 0.1, -17], ...FIJI)).toEqual([])
  })

  test('a search across 180 degrees searches both sides', async () => {
    const boxes: unknown[] = []
    const http = {
      json: async (_: string, body: { bbox: unknown }) => {
        boxes.push(body.bbox)
        return { features: [] }
      },
    }
    const source = cogSource({ stac: 'https://example.org', collection: 'c' })
    await searchItems(source, [179.5, -1, 180.5, 1], 20, http as never)
    expect(boxes).toEqual([
      [179.5, -1, 180, 1],
      [-180, -1, -179.5, 1],
    ])
    expect(partsAt180([-180.5, 0, -179.5, 1])).toEqual([
      [179.5, 0, 180, 1],
      [-180, 0, -179.5, 1],
    ])
    expect(partsAt180([7, 0, 8, 1])).toEqual([[7, 0, 8, 1]])
  })

  test('an item that spans the whole Earth is everywhere', async () => {
    const world = item('world', { geometry: polygon([-180, -90], [180, -90], [180, 90], [-180, 90]) })
    for (const box of [BOX, [179.9, 0, 180, 0.1], [-180, 0, -179.9, 0.1]] as Box[])
      expect(await idsAt(box, world)).toHaveLength(1)
  })
})

describe('the URL of an asset', () => {
  const http = { href: 'http://example.org/b.tif' }
  const https = { href: 'https://example.org/c.tif' }
  const addressOf = async (asset: object) => {
    const source = cogSource({ stac: 'https://example.org', collection: 'c' })
    const answer = { json: async () => ({ features: [item('one', { assets: { visual: asset } })] }) }
    return assetOf((await searchItems(source, BOX, 20, answer as never))[0]!, 'visual')
  }

  test('is its own if it is http(s), else an alternate, preferably https', async () => {
    expect(await addressOf({ ...http, alternate: { other: https } })).toBe(http.href)
    expect(await addressOf({ href: 's3://bucket/a.tif', alternate: { b: http, a: https } })).toBe(https.href)
    expect(await addressOf({ href: 's3://bucket/a.tif', alternate: { s3: { href: 's3://b/a.tif' }, b: http } })).toBe(
      http.href,
    )
  })

  test.each(['s3://naip-analytic/x.tif', 'file:///etc/passwd', 'http://169.254.169.254/a.tif'])(
    '%s is refused by name',
    async (href) => {
      const error = await addressOf({ href }).then(
        () => null,
        (reason) => reason as ServiceError,
      )
      expect(error).toMatchObject({ code: 'image-without-asset', status: 400, retry: false })
      expect(error!.message).toContain(`visual of one can't be read: ${href}`)
    },
  )
})

describe('values from a catalogue', () => {
  const source = cogSource({ stac: 'https://example.org', collection: 'c', cloudProperty: 'cloud' })
  const one = (changes: object) => item('one', changes)
  const search = (answer: unknown, maxCloud = 20) => {
    const asked: unknown[] = []
    const http = {
      json: async (url: string, body: unknown) => {
        asked.push([url, body])
        return structuredClone(answer)
      },
    }
    const found = searchItems(source, [7.4, 46.9, 7.5, 47], maxCloud, http as never)
    return found.then((items) => ({ items, asked }))
  }

  test('times are UTC, whatever the machine’s time zone; an invalid time is null', async () => {
    const times = async (properties: object) => (await search({ features: [one({ properties })] })).items[0]!.time
    const noon = Date.UTC(2020, 5, 1, 12)
    expect(await times({ datetime: '2020-06-01T12:00:00Z' })).toBe(noon)
    expect(await times({ datetime: '2020-06-01T12:00:00' })).toBe(noon)
    expect(await times({ datetime: '2020-06-01T14:00:00.000+02:00' })).toBe(noon)
    expect(await times({ datetime: null, start_datetime: '2020-06-01T12:00:00Z' })).toBe(noon)
    expect(await times({ datetime: 5 })).toBe(null)
    expect(await times({ datetime: '2020-99-01T12:00:00Z' })).toBe(null)
  })

  test.each([
    ['no object', 7],
    ['no list', { features: 'x' }],
    ['nothing', null],
  ])('%s is an error with a code', async (_, answer) => {
    await expect(search(answer)).rejects.toMatchObject({ code: 'imagery-bad-answer', retry: false })
  })

  test('features with wrong types or hostile ids are skipped', async () => {
    const bad = [null, 1, {}, one({ id: 3 }), one({ bbox: ['a'] }), one({ bbox: null }), one({ id: 'a\nb' })]
    const { items } = await search({ features: [...bad, one({ id: '\ud800' }), one({ id: 'a\u202eb' }), one({})] })
    expect(items.map(({ id }) => id)).toEqual(['one'])
  })
})
