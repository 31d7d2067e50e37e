/** Servers with range quirks: past the end, without the size, with different ETags for the same file. */
import type { ServerResponse } from 'node:http'
import { afterAll, describe, expect, test } from 'vitest'
import { remoteBytes } from '../src/cog/file-bytes.ts'
import { createHttp } from '../src/http.ts'
import { createLimiter } from '../src/limiter.ts'
import { startService } from './service.ts'

const BLOCK = 64 * 1024
const closers: (() => Promise<void>)[] = []
afterAll(async () => {
  for (const close of closers) await close()
})

const fileOf = (length: number, seed = 1) =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * seed) % 251))

interface Asked {
  readonly from: number
  readonly to: number
  readonly number: number
}

/** A file on a server with the given behaviour, and a reader of it. */
async function open(answer: (asked: Asked, response: ServerResponse) => void) {
  let number = 0
  const service = await startService(async (request, response) => {
    const [from, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range!)!.slice(1).map(Number) as [number, number]
    answer({ from, to: last + 1, number: ++number }, response)
  })
  const http = createHttp({ limiter: createLimiter({ maxConcurrent: 8, perSecond: 100 }), maxConcurrent: 8 })
  closers.push(
    () => http.close(),
    () => service.close(),
  )
  const bytes = remoteBytes(`${service.url}/a.tif`, http)
  const read = async (offset: number, length: number) => Buffer.from((await bytes.fetch([{ offset, length }]))[0]!)
  return { read, asked: () => number }
}

function part(response: ServerResponse, file: Buffer, { from, to }: Asked, etag: string | null, size = true) {
  const end = Math.min(to, file.length)
  response
    .writeHead(206, {
      'content-range': `bytes ${from}-${end - 1}/${size ? file.length : '*'}`,
      ...(etag !== null && { etag }),
    })
    .end(file.subarray(from, end))
}

test('the last bytes of a large file are read even if the server sends the whole file for a range beyond its end', async () => {
  const file = fileOf(20 * 2 ** 20 + 100)
  let whole = 0
  const { read } = await open((asked, response) => {
    if (asked.to <= file.length) return part(response, file, asked, '"1"')
    whole++
    response.writeHead(200, { etag: '"1"' }).end(file)
  })
  await read(0, 8)
  expect((await read(file.length - 200, 200)).equals(file.subarray(-200))).toBe(true)
  expect(whole).toBe(0)
})

test('a server that does not say the size of the file is read to its end', async () => {
  const file = fileOf(3 * BLOCK + 5)
  const { read } = await open((asked, response) => part(response, file, asked, '"1"', false))
  expect((await read(BLOCK - 3, 9)).equals(file.subarray(BLOCK - 3, BLOCK + 6))).toBe(true)
  expect((await read(3 * BLOCK + 1, 4)).equals(file.subarray(-4))).toBe(true)
})

describe('another ETag', () => {
  const file = fileOf(5 * BLOCK)
  const other = fileOf(5 * BLOCK, 3)
  const readAll = async (read: (offset: number, length: number) => Promise<Buffer>) => {
    for (let block = 0; block < 5; block++)
      expect((await read(block * BLOCK, BLOCK)).equals(file.subarray(block * BLOCK, (block + 1) * BLOCK))).toBe(true)
  }

  test.each([
    ['that is the weak form of the same', () => (n: number) => (n % 2 ? '"a"' : 'W/"a"'), 5],
    ['from three mirrors in turn', () => (n: number) => `"${n % 3}"`, null],
    ['from some request on', () => (n: number) => (n < 3 ? '"a"' : '"b"'), null],
  ])('%s means the same file if size and bytes agree', async (_, make, requests) => {
    const version = make()
    const { read, asked } = await open((range, response) => part(response, file, range, version(range.number)))
    await readAll(read)
    if (requests !== null) expect(asked()).toBe(requests)
    expect(asked()).toBeLessThan(20)
  })

  test.each([
    ['other bytes', other],
    ['another size', file.subarray(0, -1)],
  ])('with %s means another file, which is read from its start', async (_, replaced) => {
    let isReplaced = false
    const { read } = await open((range, response) =>
      part(response, isReplaced ? replaced : file, range, isReplaced ? '"new"' : '"old"'),
    )
    await read(0, 8)
    await read(BLOCK, 8)
    isReplaced = true
    await expect(read(2 * BLOCK, 8)).rejects.toMatchObject({ code: 'image-changed', retry: true })
  })
})
