import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseConfig } from '@skyscript/core/config'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { type DoctorCheck, renderChecks, runDoctor } from './doctor.ts'

/** The first bytes of every PBF: length of the blob header, field 1 "OSMHeader", field 3 the blob's size. */
const PBF = Buffer.concat([
  Buffer.from([0, 0, 0, 13, 0x0a, 9]),
  Buffer.from('OSMHeader'),
  Buffer.from([0x18, 5]),
  Buffer.alloc(90),
])
const MODEL_FILES = ['onnx/vision_model.onnx', 'onnx/text_model.onnx', 'tokenizer.json', 'preprocessor_config.json']

/** s3rver has no types; this is what is used of it. */
const S3rver = createRequire(import.meta.url)('s3rver') as new (
  options: object,
) => { run(): Promise<{ port: number }>; close(): Promise<void> }

let folder: string
const servers: (Server | TcpServer)[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-doctor-'))
  await writeFile(join(folder, 'town.osm.pbf'), PBF)
  await writeFile(join(folder, 'page.osm.pbf'), '<html>not found</html>'.repeat(9))
  await mkdir(join(folder, 'model/onnx'), { recursive: true })
  for (const file of MODEL_FILES) await writeFile(join(folder, 'model', file), 'x')
})

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** The checks for a region file that differs from a good one by `lines`. */
async function doctor(lines: Record<string, string> = {}): Promise<Map<string, DoctorCheck>> {
  const settings = {
    osm: '{ source: town.osm.pbf }',
    imagery: '{ earthEngine: { endpoint: local } }',
    filter: '{ scorers: [{ name: openai, model: ./model }] }',
    output: './out',
    ...lines,
  }
  const text = Object.entries(settings).map(([key, value]) => `${key}: ${value}\n`)
  const config = parseConfig(text.join(''), join(folder, 'region.yaml'))
  const checks = await runDoctor({ config, env: {} })
  return new Map(checks.map((check) => [check.name, check]))
}

async function listen<T extends Server | TcpServer>(server: T): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

test('a machine that can build is found healthy, without a region and with one', async () => {
  const machine = await runDoctor({ env: {} })
  expect(machine.map(({ name, status }) => `${name} ${status}`)).toEqual(['node ok', 'sharp ok', 'onnxruntime ok'])
  const checks = await doctor()
  expect([...checks.values()].filter(({ status }) => status === 'fail')).toEqual([])
  expect([...checks.keys()]).toEqual([
    'node',
    'sharp',
    'onnxruntime',
    'disk',
    'osm',
    'files',
    'earth-engine',
    'model:openai',
    'output',
  ])
  expect(renderChecks(machine)).toContain('Nothing stands in the way of a build.')
})

test('an OSM extract that is missing, or something else, is told apart', async () => {
  const checks = await doctor({ osm: '{ source: [town.osm.pbf, page.osm.pbf, gone.osm.pbf] }' })
  expect(checks.get('osm:1')?.status).toBe('ok')
  expect(checks.get('osm:2')).toMatchObject({
    status: 'fail',
    detail: expect.stringMatching(/is a web page, not an OSM PBF file/),
  })
  expect(checks.get('osm:3')).toMatchObject({ status: 'fail', detail: expect.stringMatching(/ENOENT/) })
  expect(checks.get('osm:3')?.fix).toMatch(/geofabrik/)
})

test('of an extract at a URL only the first bytes are read, even where the server sends all', async () => {
  let sent = 0
  const server = createServer((request, response) => {
    if (request.url === '/gone') return void response.writeHead(404).end('no')
    response.writeHead(200)
    response.write(PBF)
    const more = setInterval(() => {
      sent += 65_536
      response.write(Buffer.alloc(65_536))
    }, 1)
    response.on('close', () => clearInterval(more))
  })
  const port = await listen(server)
  const checks = await doctor({
    osm: `{ source: ["http://user:hunter2@127.0.0.1:${port}/planet.osm.pbf", "http://127.0.0.1:${port}/gone"] }`,
  })
  expect(checks.get('osm:2')).toMatchObject({ status: 'fail', detail: expect.stringMatching(/HTTP 404/) })
  expect(sent).toBeLessThan(50e6)
  expect(JSON.stringify([...checks.values()])).not.toContain('hunter2')
  server.closeAllConnections()
})

test('each file that the region names and that is missing or no JSON is named with its setting', async () => {
  await writeFile(join(folder, 'key.json'), '{"private_key": "SECRET')
  const checks = await doctor({
    imagery: '{ earthEngine: { endpoint: local, credentials: key.json } }',
    captions: '{ tags: tags.csv }',
  })
  const { status, detail } = checks.get('files')!
  expect(status).toBe('fail')
  expect(detail).toMatch(/captions\.tags \(.*tags\.csv\) can't be read/)
  expect(detail).toMatch(/imagery\.earthEngine\.credentials \(.*key\.json\) is not JSON/)
  expect(JSON.stringify([...checks.values()])).not.toContain('SECRET')
})

test('a model folder that is not complete is told by its missing files', async () => {
  await rm(join(folder, 'model/tokenizer.json'))
  const check = (await doctor()).get('model:openai')
  await writeFile(join(folder, 'model/tokenizer.json'), 'x')
  expect(check).toMatchObject({ status: 'fail', detail: expect.stringMatching(/model lacks tokenizer\.json$/) })
})

test('a hub id is asked for at the hub, or at its mirror', async () => {
  const asked: string[] = []
  const port = await listen(
    createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.writeHead(request.url?.startsWith('/owner/clip/') ? 200 : 404).end()
    }),
  )
  const of = async (model: string, mirror: string) => {
    const text = `osm: { source: town.osm.pbf }\nimagery: { earthEngine: { endpoint: local } }\noutput: ./out\nfilter: { scorers: [{ name: a, model: ${model} }] }\n`
    const config = parseConfig(text, join(folder, 'region.yaml'))
    const checks = await runDoctor({ config, env: { HF_ENDPOINT: mirror } })
    return checks.find(({ name }) => name === 'model:a')
  }
  expect((await of('owner/clip@v1', `http://127.0.0.1:${port}`))?.status).toBe('ok')
  expect((await of('owner/gone', `http://127.0.0.1:${port}`))?.status).toBe('fail')
  expect((await of('owner/clip', 'http://127.0.0.1:1'))?.status).toBe('warn')
  expect(asked).toEqual(['HEAD /owner/clip/resolve/v1/tokenizer.json', 'HEAD /owner/gone/resolve/main/tokenizer.json'])
})

test('an output folder that can not be made is a fault', async () => {
  await writeFile(join(folder, 'plain-file'), 'x')
  expect((await doctor({ output: './plain-file/out' })).get('disk')?.status).toBe('fail')
})

test('a bucket is tried by writing to it, and what is tried is taken away again', async () => {
  const directory = join(folder, 'buckets')
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: 'town', configs: [] }],
  })
  const { port } = await server.run()
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${port}`)
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'S3RVER')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'S3RVER')
  try {
    expect((await doctor({ output: 's3://town/out' })).get('output')?.status).toBe('ok')
    expect(
      await readdir(join(directory, 'town'), { recursive: true }).then((names) =>
        names.filter((name) => /doctor\/./.test(name)),
      ),
    ).toEqual([])
    const away = (await doctor({ output: 's3://village/out' })).get('output')
    expect(away).toMatchObject({ status: 'fail', detail: expect.stringMatching(/no bucket/i) })
  } finally {
    vi.unstubAllEnvs()
    await server.close()
  }
})

/** Answers as Redis does (RESP), so that every setting of it can be tried without a server of each kind. */
function redisThatSays(info: string): TcpServer {
  return createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const commands = data.toString().match(/\*\d+\r\n(?:\$\d+\r\n[^\r]*\r\n)+/g) ?? []
      for (const command of commands) {
        const isInfo = /\r\ninfo\r\n/i.test(command)
        socket.write(isInfo ? `$${info.length}\r\n${info}\r\n` : '+OK\r\n')
      }
    })
  })
}

test('a Redis that may lose jobs is refused, and one that forgets on restart is warned of', async () => {
  const check = async (info: Record<string, string>) => {
    const text = Object.entries({ loading: '0', ...info }).map(([key, value]) => `${key}:${value}`)
    const port = await listen(redisThatSays(text.join('\r\n')))
    const found = (await doctor({ queue: `redis://:hunter2@127.0.0.1:${port}` })).get('redis')!
    expect(JSON.stringify(found)).not.toContain('hunter2')
    return found
  }
  const good = { redis_version: '7.0.15', maxmemory_policy: 'noeviction', aof_enabled: '1' }
  expect(await check(good)).toMatchObject({ status: 'ok' })
  expect(await check({ ...good, maxmemory_policy: 'allkeys-lru' })).toMatchObject({ status: 'fail' })
  expect(await check({ ...good, aof_enabled: '0' })).toMatchObject({ status: 'warn' })
  expect(await check({ ...good, redis_version: '5.0.7' })).toMatchObject({ status: 'fail' })
})

test('a Redis that is not there is a fault that names no password', async () => {
  const port = await listen(createTcpServer())
  await new Promise((resolve) => servers.pop()!.close(resolve))
  const check = (await doctor({ queue: `redis://:hunter2@127.0.0.1:${port}` })).get('redis')!
  expect(check.status).toBe('fail')
  expect(check.fix).toMatch(/redis-server/)
  expect(JSON.stringify(check)).not.toContain('hunter2')
})

test('the text for a person has a line per check and what to do below it', () => {
  const text = renderChecks([
    { name: 'node', status: 'ok', detail: 'Node 24' },
    { name: 'redis', status: 'fail', detail: 'is away', fix: 'Start it.' },
    { name: 'disk', status: 'warn', detail: 'is full', fix: 'Empty it.' },
  ])
  expect(text).toBe(
    'ok    node   Node 24\nFAIL  redis  is away\n             -> Start it.\nwarn  disk   is full\n             -> Empty it.\n\n1 to fix before a build can succeed, 1 to know about.\n',
  )
})

test("a scorer's device and its server are looked for, and the server by its models", async () => {
  const scorer = async (more: string) =>
    (await doctor({ filter: `{ scorers: [{ name: openai, model: ./model, ${more} }] }` })).get('model:openai')!
  const device = process.platform === 'darwin' ? 'dml' : 'coreml'
  expect(await scorer(`device: ${device}`)).toMatchObject({ status: 'fail', detail: expect.stringContaining(device) })
  const port = await listen(
    createServer(
      (request, response) => void response.writeHead(request.url === '/v2/models/words' ? 404 : 200).end('{}'),
    ),
  )
  const server = (text: string) => scorer(`server: { url: 'http://127.0.0.1:${port}', vision: v, text: ${text} }`)
  expect((await server('t')).status).toBe('ok')
  const missing = await server('words')
  expect(missing).toMatchObject({ status: 'fail', detail: expect.stringContaining('HTTP 404 to /v2/models/words') })
  const gone = await scorer("server: { url: 'http://127.0.0.1:9', vision: v, text: t }")
  expect(gone).toMatchObject({ status: 'fail', detail: expect.stringContaining('does not answer') })
})
