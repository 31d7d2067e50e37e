import { InputError } from '@skyscript/core'
import fc from 'fast-check'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createHttp } from '../src/http.ts'
import { createLimiter } from '../src/limiter.ts'
import { refusalOf } from '../src/refusals.ts'
import { meaningOf } from '../src/web/answers.ts'
import { startService } from './service.ts'

vi.mock('../src/pause.ts', () => import('./quick-pauses.ts'))

const exception = (code: string, text: string) =>
  `<?xml version="1.0"?><ServiceExceptionReport version="1.3.0"><ServiceException code="${code}">${text}</ServiceException></ServiceExceptionReport>`
const report = (code: string, text: string) =>
  `<ows:ExceptionReport xmlns:ows="http://www.opengis.net/ows/1.1"><ows:Exception exceptionCode="${code}"><ows:ExceptionText>${text}</ows:ExceptionText></ows:Exception></ows:ExceptionReport>`
const arcgis = (code: number, message: string) => JSON.stringify({ error: { code, message, details: [] } })

test.each([
  ['a tile out of range, by WMTS', 200, report('TileOutOfRange', 'Column 12 is out of range'), 'absent'],
  ['the same as 400', 400, report('TileOutOfRange', 'Column 12'), 'absent'],
  ['the same without a code for it', 200, report('InvalidParameterValue', 'TILEROW is out of range'), 'absent'],
  ['a place that isn’t covered', 200, exception('', 'The area is outside the extent of the data'), 'absent'],
  ['no tile, as a sentence', 200, 'No tile found', 'absent'],
  ['no picture, as JSON', 200, '{"message": "Tile does not exist", "status": 404}', 'absent'],
  ['a layer that isn’t there', 200, exception('LayerNotDefined', 'Unknown layer dop21'), 'settings'],
  ['a system that isn’t offered', 400, exception('InvalidCRS', 'EPSG:1'), 'settings'],
  ['a format that isn’t offered', 200, exception('InvalidFormat', 'image/webp'), 'settings'],
  ['a parameter that is missing', 200, report('MissingParameterValue', 'style'), 'settings'],
  ['a token that has expired, by ArcGIS', 200, arcgis(498, 'Invalid token.'), 'denied'],
  ['a token that is missing, by ArcGIS', 200, arcgis(499, 'Token Required'), 'denied'],
  ['a wrong key, as a sentence', 200, 'Invalid API key', 'denied'],
  ['a wrong key, as an exception', 200, exception('', 'Authorization failed: unauthorized user'), 'denied'],
  ['too much, as JSON', 200, '{"code": 429, "message": "Slow down"}', 'quota'],
  ['too much, as an exception', 200, exception('', 'Too many requests'), 'quota'],
  ['a value of this picture', 200, exception('InvalidDimensionValue', 'time 2031'), 'image'],
  ['a bad request, by ArcGIS', 200, arcgis(400, 'Unable to complete operation.'), 'image'],
  ['a bad request, as a web page', 400, '<html><body>Bad Request</body></html>', 'image'],
  ['a time-out, as an exception', 200, exception('', 'The request timed out; no data'), 'later'],
  ['an exception that says nothing', 200, exception('', 'Something failed'), 'later'],
  ['a failure, by ArcGIS', 200, arcgis(500, 'Error'), 'later'],
  ['maintenance, as a web page', 200, '<!DOCTYPE html><p>No data today: maintenance</p>', 'later'],
  ['a login page', 200, '<html><form>Your access token is invalid</form></html>', 'later'],
  ['a server that is down', 503, 'no data', 'later'],
] as const)('%s is told from other answers', (_, status, body, meaning) => {
  expect(meaningOf(body, status)).toBe(meaning)
})

test('whatever is sent means something', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 200, max: 599 }), (body, status) => {
      expect(['absent', 'settings', 'denied', 'quota', 'image', 'later']).toContain(meaningOf(body, status))
    }),
  )
})

describe('a picture that is asked for', () => {
  const closers: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closers.splice(0)) await close()
  })
  /** The result or the error, and the number of requests. */
  async function asked(status: number, body: string | Buffer, headers: Record<string, string> = {}) {
    const service = await startService((_, response) => void response.writeHead(status, headers).end(body))
    const http = createHttp({ limiter: createLimiter({ maxConcurrent: 9, perSecond: 999 }), maxConcurrent: 9 })
    closers.push(
      () => http.close(),
      () => service.close(),
    )
    const result = await http.file(`${service.url}/1/2/3?key=s3cret`, { shown: 'host/1/2/3', most: 1000 }).catch((error: Error) => error) // biome-ignore format: one line
    return { result, requests: service.bodies.length }
  }

  test('is absent, without another attempt, where the service says so in an exception', async () => {
    for (const status of [200, 400]) {
      const { result, requests } = await asked(status, report('TileOutOfRange', 'Row 9'))
      expect([result, requests]).toEqual([null, 1])
    }
  })

  test('ends the build where the service knows no such layer, in one sentence without the key', async () => {
    const { result, requests } = await asked(200, exception('LayerNotDefined', 'Unknown layer dop21, key s3cret'))
    expect(result).toBeInstanceOf(InputError)
    expect([refusalOf(result), requests]).toEqual(['build', 1])
    expect((result as Error).message).toMatch(/^host\/1\/2\/3 answered with no image \(Unknown layer dop21, key .*\); correct its source in imagery\.sources\.$/) // biome-ignore format: one sentence
    expect((result as Error).message).not.toContain('s3cret')
  })

  test('is given up for good where its own request is refused, and only then', async () => {
    const final = await asked(422, 'Unprocessable')
    expect(final.result).toMatchObject({ code: 'image-refused', retry: false })
    expect([refusalOf(final.result), final.requests]).toEqual(['image', 1])
    const passing = await asked(200, exception('', 'Database is away'))
    expect(passing.result).toMatchObject({ code: 'imagery-bad-answer', retry: true })
    expect([refusalOf(passing.result), passing.requests]).toEqual(['later', 5])
    const denied = await asked(200, arcgis(498, 'Invalid token.'))
    expect([refusalOf(denied.result), denied.requests]).toEqual(['later', 2])
  })

  test('is known by its bytes, whatever its content type', async () => {
    const gif = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')
    expect((await asked(200, gif, { 'content-type': 'text/html' })).result).toEqual(gif)
  })
})
