/** Downloads from servers that break off, refuse, replace the file or have nothing new. */
import { randomBytes } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { InputError } from '@skyscript/core'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Download, download } from '../src/index.ts'
import { type Running, serve } from './servers.ts'

const FILE = randomBytes(300_000)
let folder: string
let server: Running | undefined
/** Headers of the requests that came. */
let asked: IncomingHttpHeaders[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'download-'))
  asked = []
})
afterEach(async () => {
  await server?.close()
  server = undefined
  await rm(folder, { recursive: true, force: true })
})

type Answer = (response: ServerResponse, headers: IncomingHttpHeaders, number: number) => void

async function start(answer: Answer): Promise<string> {
  server = await serve((request, response) => {
    asked.push(request.headers)
    answer(response, request.headers, asked.length)
  })
  return `${server.url}/extract`
}
const get = (url: string, options: Partial<Download> = {}) =>
  download({ url, path: join(folder, 'extract'), pauseMs: 1, ...options })
const bytesOf = async (result: Awaited<ReturnType<typeof download>>) => readFile(result!.file)

/** Sends a file as servers do that know ranges, `most` bytes at most of each body before the connection breaks. */
function send(
  response: ServerResponse,
  headers: IncomingHttpHeaders,
  {
    file = FILE,
    etag = '"one"',
    most = Number.POSITIVE_INFINITY,
  }: { file?: Buffer; etag?: string; most?: number } = {},
) {
  const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
  const isPart = headers.range !== undefined && headers['if-range'] === etag
  const body = isPart ? file.subarray(from) : file
  response.writeHead(isPart ? 206 : 200, {
    etag,
    'content-length': body.length,
    ...(isPart && { 'content-range': `bytes ${from}-${file.length - 1}/${file.length}` }),
  })
  if (most >= body.length) response.end(body)
  else response.write(body.subarray(0, most), () => response.destroy())
}

describe('a body that breaks off', () => {
  test('is continued at the byte where it broke', async () => {
    const url = await start((response, headers, number) =>
      send(response, headers, number === 1 ? { most: 100_000 } : {}),
    )
    expect((await bytesOf(await get(url))).equals(FILE)).toBe(true)
    expect(asked).toHaveLength(2)
    expect(asked[1]).toMatchObject({ range: expect.stringMatching(/^bytes=[1-9]\d*-$/), 'if-range': '"one"' })
  })

  test('is continued by the next call, after all tries of the first failed', async () => {
    let isDown = false
    const url = await start((response, headers) => {
      if (isDown) response.destroy()
      else send(response, headers, { most: 100_000 })
      isDown = true
    })
    await expect(get(url)).rejects.toMatchObject({ code: 'download-failed', retry: true })
    await server!.close()
    asked = []
    const again = await start((response, headers) => send(response, headers))
    expect((await bytesOf(await get(again))).equals(FILE)).toBe(true)
    expect(asked[0]!.range).toMatch(/^bytes=[1-9]\d*-$/)
    expect(await readdir(folder)).toHaveLength(1)
  })

  test('starts anew where the file was replaced meanwhile, also on a server that ignores If-Range', async () => {
    const other = randomBytes(200_000)
    for (const ignores of [false, true]) {
      asked = []
      const url = await start((response, headers, number) => {
        if (number === 1) send(response, headers, { most: 50_000 })
        else
          send(response, ignores && headers.range ? { ...headers, 'if-range': '"two"' } : headers, {
            file: other,
            etag: '"two"',
          })
      })
      expect((await bytesOf(await get(url))).equals(other)).toBe(true)
      await server!.close()
    }
  })

  test('starts over if nothing distinguishes versions', async () => {
    const url = await start((response, _headers, number) => {
      response.writeHead(200, { 'content-length': FILE.length })
      if (number === 1) response.write(FILE.subarray(0, 1000), () => response.destroy())
      else response.end(FILE)
    })
    expect((await bytesOf(await get(url))).equals(FILE)).toBe(true)
    expect(asked[1]!.range).toBeUndefined()
  })

  test('gives the same bytes wherever and however often it breaks', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 5000 }),
        fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 6 }),
        async (bytes, breaks) => {
          const file = Buffer.from(bytes)
          asked = []
          const url = await start((response, headers, number) => {
            const most = breaks[number - 1]
            send(response, headers, { file, ...(most !== undefined && { most }) })
          })
          try {
            expect((await bytesOf(await get(url))).equals(file)).toBe(true)
          } finally {
            await server!.close()
            await rm(folder, { recursive: true, force: true })
          }
        },
      ),
      { numRuns: 40 },
    )
  })

  test('is noticed by the caller where the server announces no length', async () => {
    const url = await start((response, _headers, number) => {
      response.useChunkedEncodingByDefault = false
      response.writeHead(200, { connection: 'close', etag: '"one"' })
      response.end(number < 3 ? FILE.subarray(0, 1000 * number) : FILE)
    })
    const checkWhole = () => (asked.length < 3 ? 'ends within a blob' : null)
    expect((await bytesOf(await get(url, { checkWhole }))).equals(FILE)).toBe(true)
    expect(asked).toHaveLength(3)
  })

  test('ends with the reason after the last try', async () => {
    const url = await start((response, headers) => send(response, { ...headers, 'if-range': '' }, { most: 10 }))
    await expect(get(url)).rejects.toThrow(/extract could not be downloaded \(it broke off: .+\); check the URL/)
    expect(asked.length).toBeGreaterThanOrEqual(8)
  })
})

describe('a server', () => {
  test('that is busy is asked again after the time that it names', async () => {
    for (const status of [429, 503]) {
      const times: number[] = []
      asked = []
      const url = await start((response, headers, number) => {
        times.push(performance.now())
        if (number === 1) response.writeHead(status, { 'retry-after': '1' }).end('busy')
        else send(response, headers)
      })
      expect((await bytesOf(await get(url))).equals(FILE)).toBe(true)
      expect(times[1]! - times[0]!).toBeGreaterThan(950)
      await server!.close()
    }
  })

  test('that refuses for good is asked once', async () => {
    for (const status of [400, 401, 403, 404, 410]) {
      asked = []
      const url = await start((response) => void response.writeHead(status).end())
      await expect(get(url)).rejects.toMatchObject({ code: 'download-failed', retry: false })
      expect(asked).toHaveLength(1)
      await server!.close()
    }
  })

  test('that has what is known sends nothing, and one that knows no conditions is left after its headers', async () => {
    let sent = 0
    const url = await start((response, headers) => {
      if (headers['if-none-match'] === '"one"' && headers['user-agent'] !== 'plain') {
        response.writeHead(asked.length === 1 ? 304 : 200, { etag: '"one"' })
        if (asked.length === 1) response.end()
        else response.write(FILE, () => (sent += FILE.length))
        return
      }
      send(response, headers)
    })
    const known = { etag: '"one"', modified: null }
    expect(await get(url, { known })).toBeNull()
    expect(await get(url, { known })).toBeNull()
    expect(asked).toHaveLength(2)
    expect(sent).toBeLessThanOrEqual(FILE.length)
    expect(await readdir(folder)).toEqual([])
  })

  test('that sends something else is left after the first bytes', async () => {
    const url = await start((response) => {
      response.writeHead(200, { 'content-type': 'text/html', 'content-length': 10_000_000, etag: '"one"' })
      response.write(Buffer.alloc(100_000, '<html>'))
    })
    const checkHead = () => {
      throw new InputError('not-a-pbf', 'It is a web page.')
    }
    await expect(get(url, { checkHead })).rejects.toThrow('It is a web page.')
    expect(asked).toHaveLength(1)
  })

  test('that closes the connection behind the body ends no process', async () => {
    const url = await start((response) => {
      response.writeHead(200, { connection: 'close', 'content-length': FILE.length })
      response.end(FILE)
      response.socket?.end()
    })
    for (let i = 0; i < 40; i++) expect((await get(url))!.bytes).toBe(FILE.length)
  })

  test('that fails after an abort is not asked again', async () => {
    const controller = new AbortController()
    const url = await start((response) => void response.writeHead(503, { 'retry-after': '60' }).end())
    const running = get(url, { signal: controller.signal, onRetry: () => controller.abort(new Error('stopped')) })
    await expect(running).rejects.toThrow('stopped')
    expect(asked).toHaveLength(1)
  })
})
