/** OSM extracts by URL: what a build downloads, keeps, and says of servers that send something else. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { extract } from '@skyscript/osm-extract'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openStorage } from '../../worker/src/storages/storages.ts'
import { createTerminal } from '../../worker/src/terminal/terminal.ts'
import { extractFile, withSources } from './inputs.ts'

const TOWN = await readFile(join(import.meta.dirname, '../../../examples/demo/town.osm.pbf'))
let folder: string
let close: () => Promise<unknown>
let asked: IncomingMessage[]

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'inputs-'))
  asked = []
})
afterEach(async () => {
  await close()
  await rm(folder, { recursive: true, force: true })
})

async function start(answer: (request: IncomingMessage, response: ServerResponse) => unknown): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(request)
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/maps/town.osm.pbf`
}
const never = new AbortController().signal
const get = (url: string) => extractFile(url, { signal: never, openStorage, cacheFolder: folder })
const files = async () => (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.osm.pbf'))

/** A server that has one version of the town and answers conditional requests. */
const withVersion =
  (version: { etag?: string; 'last-modified'?: string }, bytes = TOWN) =>
  (request: IncomingMessage, response: ServerResponse) => {
    const isKnown =
      version.etag === undefined
        ? request.headers['if-modified-since'] === version['last-modified']
        : request.headers['if-none-match'] === version.etag
    if (isKnown) response.writeHead(304, version).end()
    else response.writeHead(200, { ...version, 'content-length': bytes.length }).end(bytes)
  }

test.each([{ etag: '"5d1"' }, { etag: 'W/"5d1"' }, { 'last-modified': 'Mon, 01 Sep 2025 20:21:22 GMT' }])(
  'an extract that the server has as before costs one request and no bytes: %o',
  async (version) => {
    const url = await start(withVersion(version))
    const first = await get(url)
    expect(await readFile(first.path)).toEqual(TOWN)
    await first.release()
    const before = asked[0]!.socket.bytesWritten
    const again = await get(url)
    expect(asked).toHaveLength(2)
    expect(asked[1]!.socket).toBe(asked[0]!.socket)
    expect(asked[1]!.socket.bytesWritten - before).toBeLessThan(1000)
    expect(again).toMatchObject({ path: first.path, sha256: first.sha256, source: url })
    expect(await readFile(again.path)).toEqual(TOWN)
  },
)

test('an extract that was replaced is downloaded, and the older one stays for builds that read it', async () => {
  let version = withVersion({ etag: '"1"' }, TOWN)
  const url = await start((request, response) => version(request, response))
  const first = await get(url)
  const other = TOWN.subarray(0, firstBlobsOf(TOWN))
  version = withVersion({ etag: '"2"' }, other)
  const second = await get(url)
  expect(await readFile(second.path)).toEqual(other)
  expect(await readFile(first.path)).toEqual(TOWN)
  expect((await get(url)).path).toBe(second.path)
})

test('a link that is signed anew is the same extract', async () => {
  const url = await start(withVersion({ etag: '"1"' }))
  await get(`${url}?X-Amz-Date=1&X-Amz-Signature=abc`)
  await get(`${url}?X-Amz-Date=2&X-Amz-Signature=def`)
  expect(asked.map((request) => request.headers['if-none-match'])).toEqual([undefined, '"1"'])
  expect(await files()).toHaveLength(1)
})

test('a copy that was damaged on the disk is downloaded again', async () => {
  const url = await start(withVersion({ etag: '"1"' }))
  const { path } = await get(url)
  const spoilt = Buffer.from(TOWN)
  spoilt[TOWN.length >> 1]! ^= 1
  await writeFile(path, spoilt)
  expect(await readFile((await get(url)).path)).toEqual(TOWN)
})

test.each([
  ['a web page', '<!DOCTYPE html><html><body>Please log in</body></html>', 'text/html'],
  ['a web page', '<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">', 'application/xhtml+xml'],
  ['a web page', 'Sorry!', 'text/html; charset=utf-8'],
  ['OSM XML', '<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6">', 'application/octet-stream'],
  ['JSON', '{"error": "no such region"}', 'application/json'],
  ['compressed by bzip2', 'BZh91AY&SY', 'application/octet-stream'],
  ['compressed by gzip', gzipSync(TOWN), 'application/gzip'],
  ['a Git LFS pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:1', 'text/plain'],
  ['empty', '', 'application/octet-stream'],
])('what is %s is named as that, with its URL, at once', async (kind, body, type) => {
  const url = await start((_, response) => response.writeHead(200, { 'content-type': type, etag: '"1"' }).end(body))
  const error = await get(`${url}?key=hunter2`).catch((reason) => reason)
  expect(error).toMatchObject({ name: 'InputError', code: 'not-a-pbf' })
  expect(error.message).toMatch(new RegExp(`^${url}\\?key=\\*\\*\\* is ${kind}, not an OSM PBF file; check osm.source`))
  expect(asked).toHaveLength(1)
  expect(await files()).toEqual([])
})

test('a file that is cut off on the server itself is named by its URL, and not kept', async () => {
  const cut = TOWN.subarray(0, TOWN.length - 100)
  const url = await start(withVersion({ etag: '"1"' }, cut))
  const read = () =>
    withSources(
      { source: `${url}?sig=hunter2`, clip: null },
      { signal: never, openStorage, cacheFolder: folder },
      async ([file]) => Array.fromAsync(extract(file!.path, { wanted: 'all' })),
    )
  const error = await read().catch((reason) => reason)
  expect(error.message).toMatch(new RegExp(`^${url} is cut off; fetch the file again \\(at byte \\d+\\)\\.$`))
  await expect(read()).rejects.toThrow('is cut off')
  expect(asked.map((request) => request.headers['if-none-match'])).toEqual([undefined, undefined])
})

test('a body that a server without ranges ends early is asked again', async () => {
  const url = await start((_, response) => {
    response.useChunkedEncodingByDefault = false
    response.writeHead(200, { connection: 'close' }).end(asked.length === 1 ? TOWN.subarray(0, 5000) : TOWN)
  })
  expect(await readFile((await get(url)).path)).toEqual(TOWN)
  expect(asked).toHaveLength(2)
}, 20_000)

test('a fault within a downloaded file is told of its URL', async () => {
  const damaged = Buffer.from(TOWN)
  damaged.fill(0xff, TOWN.length - 1000)
  const url = await start((_, response) => response.writeHead(200, { 'content-length': damaged.length }).end(damaged))
  const reading = withSources(
    { source: url, clip: null },
    { signal: never, openStorage, cacheFolder: folder },
    async ([file]) => Array.fromAsync(extract(file!.path, { wanted: 'all' })),
  )
  const error = await reading.catch((reason) => reason)
  expect(error.message.startsWith(`${url} is damaged`)).toBe(true)
  expect(error.message).not.toContain(folder)
})

test('no extract comes from a link-local address or a metadata service, by redirect either', async () => {
  for (const host of ['169.254.169.254', '[fe80::1]', 'metadata.google.internal'])
    await expect(get(`http://${host}/x.osm.pbf`)).rejects.toMatchObject({ name: 'InputError', code: 'bad-url' })
  const url = await start((_, response) => response.writeHead(302, { location: 'http://169.254.169.254/x' }).end())
  await expect(get(url)).rejects.toMatchObject({ code: 'refused-address', retry: false })
})

test('the terminal shows what was downloaded, and where nothing was', async () => {
  const url = await start(withVersion({ etag: '"1"' }))
  let shown = ''
  const terminal = createTerminal({ write: (text) => (shown += text) })
  await extractFile(`${url}?sig=hunter2`, { signal: never, openStorage, cacheFolder: folder, terminal })
  await extractFile(`${url}?sig=hunter2`, { signal: never, openStorage, cacheFolder: folder, terminal })
  expect(shown).toMatch(/download.*town\.osm\.pbf/)
  expect(shown).toContain('is unchanged')
  expect(shown).not.toContain('hunter2')
})

/** Where the second of a PBF's blobs ends. */
function firstBlobsOf(bytes: Buffer): number {
  let end = 0
  for (let blob = 0; blob < 2; blob++) {
    const header = bytes.subarray(end + 4, end + 4 + bytes.readUInt32BE(end))
    // The last field of a blob's header is its size: tag 0x18, then a varint.
    let size = 0
    const at = header.lastIndexOf(0x18)
    for (let i = at + 1, shift = 0; i < header.length; i++, shift += 7) size |= (header[i]! & 127) << shift
    end += 4 + header.length + size
  }
  return end
}
