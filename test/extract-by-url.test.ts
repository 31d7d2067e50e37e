// @module-tag slow
/** Builds of an extract that a server has, broken off, replaced and unchanged. */
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { filesOf, makeFolder, skyscript, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { startTown, TOWN, type Town } from './support/town.ts'

const BYTES = readFileSync(TOWN)
const ETAG = '"town-1"'
let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let url: string
let close: () => void
const asked: IncomingHttpHeaders[] = []

beforeAll(async () => {
  folder = await makeFolder('by-url')
  town = await startTown(folder.path)
  const server = createServer(({ headers }, response) => {
    asked.push(headers)
    const version = { etag: ETAG }
    const from = Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0)
    if (headers['if-none-match'] === ETAG) response.writeHead(304, version).end()
    else if (asked.length === 1) {
      response.writeHead(200, { ...version, 'content-length': BYTES.length })
      response.write(BYTES.subarray(0, BYTES.length >> 1), () => response.destroy())
    } else if (asked.length === 2) response.writeHead(503, { 'retry-after': '1' }).end()
    else if (from > 0 && headers['if-range'] === ETAG) {
      response.writeHead(206, { ...version, 'content-range': `bytes ${from}-${BYTES.length - 1}/${BYTES.length}` })
      response.end(BYTES.subarray(from))
    } else response.writeHead(200, { ...version, 'content-length': BYTES.length }).end(BYTES)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/town.osm.pbf`
  close = () => {
    server.closeAllConnections()
    server.close()
  }
}, 60_000)
afterAll(async () => {
  close?.()
  await town?.earthEngine.close()
  await folder?.remove()
})

test('a build resumes a download that broke off, and the next build of the same version downloads nothing', async () => {
  const at = (name: string) => join(folder.path, name)
  vi.stubEnv('SKYSCRIPT_CACHE', at('cache'))
  // Some streets.
  const clip = [7.447, 46.716, 7.456, 46.722]
  const file = await writeRegion(at('url.yaml'), town.region(at('url'), { osm: { source: url, clip } }))
  const built = await skyscriptHere(['build', file])
  expect(built.code, built.stderr).toBe(0)
  expect(asked).toHaveLength(3)
  expect(asked[2]).toMatchObject({ range: expect.stringMatching(/^bytes=[1-9]\d*-$/), 'if-range': ETAG })

  // By another process, which knows nothing of the first.
  const again = await skyscript(['build', file, '--json'])
  expect(again.code, again.stderr).toBe(0)
  expect(JSON.parse(again.stdout)).toMatchObject({ unchanged: true })
  expect(asked).toHaveLength(4)
  expect(asked[3]).toMatchObject({ 'if-none-match': ETAG })
  expect(again.stderr).toMatch(/download: .*town\.osm\.pbf is unchanged/)

  // Where the extract came from decides nothing.
  const local = await writeRegion(at('file.yaml'), town.region(at('file'), { osm: { source: TOWN, clip } }))
  expect((await skyscriptHere(['build', local])).code).toBe(0)
  expect(filesOf(at('file'))).toEqual(filesOf(at('url')))
}, 180_000)
