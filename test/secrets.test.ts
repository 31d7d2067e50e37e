// @module-tag slow
/** Builds with secrets of every kind in settings, environment and answers: nothing that they leave behind holds one. */
import { generateKeyPairSync } from 'node:crypto'
import { globSync, readFileSync, statSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { writeArrayBuffer } from 'geotiff'
import { parquetReadObjects } from 'hyparquet'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RedisServer, startRedis } from './support/redis.ts'
import { filesOf, makeFolder, type Ran, skyscript, start, writeRegion } from './support/skyscript.ts'
import { startTown, TOWN, type Town } from './support/town.ts'

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})
/** What must be found nowhere, by where it was planted. */
const SECRETS = {
  'login of the extract': 'extractLoginQ7',
  'signature of the extract': 'extractSignatureQ7',
  'login of a file': 'fileLoginQ7',
  'signature of a file': 'fileSasQ7',
  'key of a catalogue': 'catalogueKeyQ7',
  'signature that a catalogue hands out': 'assetSignatureQ7',
  'private key of a service account': privateKey.split('\n')[3]!,
  'access token': 'ya29.accessTokenQ7',
  'password of Redis': 'p@redisPasswordQ7',
  'password of a proxy': 'proxyPasswordQ7',
  'token of the hub': 'hf_tokenOfTheHubQ7',
  'login of a model server': 'modelLoginQ7',
  'key of a bucket': 'bucketKeyQ7',
  'secret of the environment': 'environmentSecretQ7',
} as const

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let redis: RedisServer
let url: string
let close: () => void
/** Authorization and query of the requests that were answered, by path. */
const seen = new Map<string, Set<string>>()
const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('secrets')
  ;[town, redis] = await Promise.all([startTown(folder.path), startRedis({ password: SECRETS['password of Redis'] })])
  const tiff = Buffer.from(makeTiff())
  const server = createServer((request, response) => answer(request, response, tiff))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  close = () => {
    server.closeAllConnections()
    server.close()
  }
  const key = { client_email: 'me@example.org', private_key: privateKey, token_uri: `${url}/token` }
  await writeFile(at('key.json'), JSON.stringify(key))
  await mkdir(at('left', 'tmp'), { recursive: true })
}, 120_000)
afterAll(async () => {
  close?.()
  await Promise.all([town?.earthEngine.close(), redis?.stop()])
  await folder?.remove()
})

/** 1500 x 1500 pixels of 0.6 m in the middle of the town, Web Mercator. */
function makeTiff(): ArrayBuffer {
  const [lon, lat] = [7.451, 46.72]
  const radius = 6378137
  const x = (radius * lon * Math.PI) / 180
  const y = radius * Math.log(Math.tan(Math.PI / 4 + (lat * Math.PI) / 360))
  const size = 1500
  const scale = 0.6 / Math.cos((lat * Math.PI) / 180)
  return writeArrayBuffer(
    Uint8Array.from({ length: size * size * 3 }, (_, i) => ((i * 7) % 199) + 30),
    {
      width: size,
      height: size,
      SamplesPerPixel: [3],
      PhotometricInterpretation: 2,
      ModelPixelScale: [scale, scale, 0],
      ModelTiepoint: [0, 0, 0, x - (size / 2) * scale, y + (size / 2) * scale, 0],
      ProjectedCSTypeGeoKey: 3857,
      GTModelTypeGeoKey: 1,
      GTRasterTypeGeoKey: 1,
    } as Parameters<typeof writeArrayBuffer>[1],
  ) as ArrayBuffer
}

function answer(request: IncomingMessage, response: ServerResponse, tiff: Buffer): void {
  const { pathname, search } = new URL(request.url!, url)
  const json = (value: unknown) =>
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
  const shown = seen.get(pathname) ?? new Set<string>()
  seen.set(pathname, shown.add(`${request.headers.authorization ?? ''} ${search}`))
  if (pathname === '/token') json({ access_token: SECRETS['access token'], expires_in: 3600 })
  else if (pathname === '/maps/town.osm.pbf') {
    response.writeHead(200, { etag: '"1"' }).end(readFileSync(TOWN))
  } else if (pathname.startsWith('/denied/')) {
    // Servers quote what they were asked.
    response.writeHead(403).end(`The signature of ${request.url} is wrong: ${search.split('sig=')[1]}`)
  } else if (pathname.endsWith('.tif')) {
    const [from, to] = /bytes=(\d+)-(\d+)/
      .exec(request.headers.range ?? '')!
      .slice(1)
      .map(Number) as [number, number]
    const end = Math.min(to + 1, tiff.length)
    response.writeHead(206, { etag: '"1"', 'content-range': `bytes ${from}-${end - 1}/${tiff.length}` })
    response.end(tiff.subarray(from, end))
  } else if (pathname.endsWith('/search') || pathname.includes('/items/')) {
    const item = {
      type: 'Feature',
      id: 'scene',
      bbox: [7.445, 46.716, 7.457, 46.724],
      geometry: null,
      properties: { datetime: '2021-06-01T10:00:00Z' },
      assets: {
        image: { href: `${url}/assets/a.tif?X-Goog-Signature=${SECRETS['signature that a catalogue hands out']}` },
      },
      links: [],
    }
    json(pathname.endsWith('/search') ? { type: 'FeatureCollection', features: [item], links: [] } : item)
  } else json({ id: 'scenes', type: 'Collection' })
}

/** Settings of the environment, which processes get and must not pass on. */
const env = () => ({
  TMPDIR: at('left', 'tmp'),
  SKYSCRIPT_CACHE: at('left', 'cache'),
  HTTP_PROXY: `http://me:${SECRETS['password of a proxy']}@127.0.0.1:1`,
  NO_PROXY: '127.0.0.1',
  HF_TOKEN: SECRETS['token of the hub'],
  SKYSCRIPT_MODEL_LOGIN: `me:${SECRETS['login of a model server']}`,
  AWS_ACCESS_KEY_ID: 'me',
  AWS_SECRET_ACCESS_KEY: SECRETS['key of a bucket'],
  SKYSCRIPT_SECRET_SAS: `sv=1&sig=${SECRETS['secret of the environment']}`,
  SKYSCRIPT_SECRET_KEY: SECRETS['secret of the environment'],
})

const own = { gsd: 0.6, range: [0, 255] }

function region(output: string, files: readonly string[], stac: string, changes = {}): Record<string, unknown> {
  const [place, login] = [url.replace('http://', ''), SECRETS['login of the extract']]
  return town.region(output, {
    osm: {
      source: `http://me:${login}@${place}/maps/town.osm.pbf?X-Amz-Signature=${SECRETS['signature of the extract']}`,
      clip: [7.447, 46.718, 7.455, 46.722],
    },
    imagery: {
      sources: [
        { kind: 'cog', alias: 'MINE', ...own, files },
        { kind: 'cog', alias: 'CAT', ...own, stac, collection: 'scenes', assets: ['image'] },
        'S2',
      ],
      prefer: 'listed',
      earthEngine: { endpoint: town.earthEngine.url, project: 'p', credentials: at('key.json') },
    },
    ...changes,
  })
}

/** Fails where a text or a file below `left/` holds a secret, plain, encoded or as a header has it. */
async function expectNoSecrets(texts: Readonly<Record<string, string>>): Promise<void> {
  const everything = new Map(Object.entries(texts))
  for (const path of globSync('**/*', { cwd: at('left') })) {
    if (!statSync(at('left', path)).isFile()) continue
    const bytes = await readFile(at('left', path))
    const content = path.endsWith('.gz') ? gunzipSync(bytes) : bytes
    everything.set(path, path + content.toString('latin1'))
    if (!path.endsWith('.parquet')) continue
    const rows = await parquetReadObjects({
      file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    })
    const plain = (_: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value)
    everything.set(`rows of ${path}`, JSON.stringify(rows, plain))
  }
  const found: string[] = []
  for (const [kind, secret] of Object.entries(SECRETS)) {
    const forms = [secret, encodeURIComponent(secret), Buffer.from(`me:${secret}`).toString('base64')]
    for (const [where, text] of everything)
      if (forms.some((form) => text.includes(form))) found.push(`${kind} is in ${where}`)
  }
  expect(found).toEqual([])
}

const textsOf = (name: string, { stdout, stderr }: Ran) => ({ [`${name} stdout`]: stdout, [`${name} stderr`]: stderr })

/** All that Redis holds, as text. */
async function dumpRedis(): Promise<string> {
  const client = new Redis(redis.url)
  const texts: unknown[] = []
  for (const key of await client.keys('*')) {
    const type = await client.type(key)
    const value =
      type === 'hash'
        ? await client.hgetall(key)
        : type === 'list'
          ? await client.lrange(key, 0, -1)
          : type === 'set'
            ? await client.smembers(key)
            : type === 'zset'
              ? await client.call('ZRANGE', key, '0', '-1')
              : type === 'stream'
                ? await client.xrange(key, '-', '+')
                : await client.get(key)
    texts.push([key, value])
  }
  client.disconnect()
  expect(texts.length).toBeGreaterThan(0)
  return JSON.stringify(texts)
}

test('an embedded build uses signed links and logins of its settings, and leaves none of them anywhere', async () => {
  const [place, login] = [url.replace('http://', ''), SECRETS['login of a file']]
  const signed = `sv=1&sig=${SECRETS['signature of a file']}`
  const files = [`http://me:${login}@${place}/files/a.tif?${signed}`, `${url}/denied/b.tif?${signed}`]
  const stac = `${url}/stac?key=${SECRETS['key of a catalogue']}`
  const file = await writeRegion(at('embedded.yaml'), region(at('left', 'embedded'), [files[0]!], stac))
  const built = await skyscript(['build', file, '--json'], { env: env() })
  expect(built.code, built.stderr).toBe(0)
  const images = Object.keys(filesOf(at('left', 'embedded'))).filter((path) => path.endsWith('.jpg'))
  expect(images.some((path) => path.includes('_MINE_'))).toBe(true)
  // They were used.
  expect([...seen.get('/files/a.tif')!].join()).toContain(SECRETS['signature of a file'])
  expect([...seen.get('/files/a.tif')!].join()).toContain(Buffer.from(`me:${login}`).toString('base64'))
  expect([...seen.get('/stac/search')!].join()).toContain(SECRETS['key of a catalogue'])
  expect([...seen.get('/maps/town.osm.pbf')!].join()).toContain(SECRETS['signature of the extract'])

  const denied = await writeRegion(at('denied.yaml'), region(at('left', 'denied'), files, stac))
  const refused = await skyscript(['build', denied], { env: env() })
  const looked = await skyscript(['doctor', denied], { env: env() })
  const planned = await skyscript(['plan', file, '--json'], { env: env() })
  await expectNoSecrets({
    ...textsOf('build', built),
    ...textsOf('refused build', refused),
    ...textsOf('doctor', looked),
    ...textsOf('plan', planned),
  })
  expect(refused.code).toBe(2)
  expect(refused.stderr).toContain('/denied/b.tif answered 403')
  expect(seen.get('/denied/b.tif')).toBeDefined()
}, 180_000)

test('workers get signed links from their own environment, and neither Redis nor storage holds one', async () => {
  // As people write it, without encoding the @ of the password.
  const queue = redis.url.replace(/:[^:@]*@/, `:${SECRETS['password of Redis']}@`)
  expect(queue).toContain(':p@redis')
  // biome-ignore lint/suspicious/noTemplateCurlyInString: settings write it so.
  const [files, key] = ['/files/a.tif?${SKYSCRIPT_SECRET_SAS}', '/stac?key=${SKYSCRIPT_SECRET_KEY}']
  const settings = region(at('left', 'queued'), [url + files], url + key, { queue })
  const file = await writeRegion(at('queued.yaml'), settings)
  const worker = start(['worker', '--queue', queue], { env: env() })
  const built = await skyscript(['build', file], { env: env() })
  worker.child.kill('SIGTERM')
  const served = await worker.done
  expect(built.code, built.stderr + served.stderr).toBe(0)
  expect([...seen.get('/files/a.tif')!].join()).toContain(SECRETS['secret of the environment'])

  const literal = region(at('left', 'literal'), [`${url}/files/a.tif?sig=${SECRETS['signature of a file']}`], url, {
    queue,
  })
  const refused = await skyscript(['build', await writeRegion(at('literal.yaml'), literal)], { env: env() })
  expect(refused.code).toBe(1)
  expect(refused.stderr).toMatch(
    /files\/a\.tif with a login or a query, which is not stored .+ \$\{SKYSCRIPT_SECRET_NAME\}/,
  )

  const away = { queue: queue.replace(/:\d+$/, ':1') }
  const unreachable = await writeRegion(at('away.yaml'), region(at('left', 'away'), [url + files], url + key, away))
  const failed = await skyscript(['build', unreachable], { env: env() })
  const looked = await skyscript(['doctor', unreachable], { env: env() })
  const { SKYSCRIPT_SECRET_KEY: _, ...without } = env()
  const unset = await skyscript(['build', file], { env: without })
  expect(unset.stderr).toMatch(/SKYSCRIPT_SECRET_KEY is not set/)
  await expectNoSecrets({
    Redis: await dumpRedis(),
    ...textsOf('build', built),
    ...textsOf('worker', served),
    ...textsOf('refused build', refused),
    ...textsOf('build without Redis', failed),
    ...textsOf('doctor', looked),
    ...textsOf('build without a secret', unset),
  })
}, 180_000)
