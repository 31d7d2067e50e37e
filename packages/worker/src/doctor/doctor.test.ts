// @module-tag slow
import { readFileSync } from 'node:fs'
import { cp, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseConfig } from '@skyscript/core/config'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'
import { expectListed } from '../../../../test/support/folder-list.ts'
import type { Finding } from './check.ts'
import { CHECKS } from './checks/index.ts'
import { preflight, renderChecks, runDoctor } from './doctor.ts'

const DEMO = fileURLToPath(new URL('../../../../examples/demo/', import.meta.url))
const PBF = readFileSync(join(DEMO, 'town.osm.pbf'))

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
  await cp(join(DEMO, 'model'), join(folder, 'model'), { recursive: true })
})

afterEach(async () => {
  for (const server of servers.splice(0)) await new Promise((resolve) => server.close(resolve))
})

afterAll(async () => {
  await rm(folder, { recursive: true, force: true })
})

/** The checks for a region file that differs from a good one by `lines`. */
async function doctor(lines: Record<string, string> = {}): Promise<Map<string, Finding>> {
  const settings = {
    osm: '{ source: town.osm.pbf }',
    imagery: '{ earthEngine: { endpoint: local } }',
    filter: '{ scorers: [{ name: openai, model: ./model }] }',
    output: './out',
    ...lines,
  }
  const text = Object.entries(settings).map(([key, value]) => `${key}: ${value}\n`)
  const config = parseConfig(text.join(''), join(folder, 'region.yaml'))
  const checks = await runDoctor(config)
  return new Map(checks.map((check) => [check.name, check]))
}

async function listen<T extends Server | TcpServer>(server: T): Promise<number> {
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

test('a machine that can build is found healthy, without a region and with one', async () => {
  const machine = await runDoctor(null)
  expect(machine.map(({ name, status }) => `${name} ${status}`)).toEqual(['node ok', 'sharp ok', 'onnxruntime ok'])
  const checks = await doctor()
  expect([...checks.values()].filter(({ status }) => status === 'fail')).toEqual([])
  expect([...checks.keys()]).toEqual([
    'node',
    'sharp',
    'onnxruntime',
    'disk',
    'osm',
    'earth-engine',
    'model:openai',
    'output',
  ])
  expect(renderChecks(machine)).toMatch(/\n\nReady to build\.\n$/)
})

test('an OSM extract that is missing, or something else, is told apart', async () => {
  const checks = await doctor({ osm: '{ source: [town.osm.pbf, page.osm.pbf, gone.osm.pbf] }' })
  expect(checks.get('osm:1')?.status).toBe('ok')
  expect(checks.get('osm:2')).toMatchObject({
    status: 'fail',
    detail: expect.stringMatching(/is a web page, not an OSM PBF file/),
  })
  expect(checks.get('osm:3')).toMatchObject({ status: 'fail', detail: expect.stringMatching(/there is no such file/) })
  expect(checks.get('osm:3')?.fix).toMatch(/geofabrik/)
})

test('changes of the map are looked at: each file, or the server that the extract names', async () => {
  const files = await doctor({
    osm: '{ source: town.osm.pbf, changes: [page.osm.pbf, gone.osc, "ftp://example.org/1.osc"] }',
  })
  expect(files.get('osm.changes:1')).toMatchObject({ status: 'fail', detail: expect.stringMatching(/is a web page/) })
  expect(files.get('osm.changes:2')).toMatchObject({ status: 'fail', detail: expect.stringMatching(/no such file/) })
  expect(files.get('osm.changes:3')).toMatchObject({ status: 'fail', detail: expect.stringMatching(/can't be used/) })
  const server = await doctor({ osm: '{ source: town.osm.pbf, changes: auto }' })
  expect(server.get('osm.changes')).toMatchObject({
    status: 'fail',
    detail: expect.stringMatching(/names no server of changes/),
    fix: expect.stringContaining('osm.changes: [files]'),
  })
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

test('each file that the region names and that can not be read is named with its setting, and no secret is told', async () => {
  await writeFile(join(folder, 'key.json'), '{"private_key": "SECRET')
  const checks = await doctor({
    imagery: '{ sources: [CH], earthEngine: { endpoint: "http://127.0.0.1:9", project: p, credentials: key.json } }',
    captions: '{ tags: tags.csv, templates: [./none.yaml] }',
  })
  expect(checks.get('captions.tags')).toMatchObject({
    status: 'fail',
    detail: expect.stringMatching(/tags\.csv can't be read/),
  })
  expect(checks.get('captions.templates')).toMatchObject({
    status: 'fail',
    detail: expect.stringMatching(/none\.yaml/),
  })
  expect(checks.get('earth-engine')).toMatchObject({
    status: 'fail',
    detail: expect.stringMatching(/key\.json is not JSON/),
  })
  expect(JSON.stringify([...checks.values()])).not.toMatch(/SECRET|ENOENT/)
})

test('a model folder that is not complete, or that no model can be opened from, is told as by a build', async () => {
  await rename(join(folder, 'model/tokenizer.json'), join(folder, 'tokenizer.json'))
  const lacking = (await doctor()).get('model:openai')
  await rename(join(folder, 'tokenizer.json'), join(folder, 'model/tokenizer.json'))
  expect(lacking).toMatchObject({ status: 'fail', detail: expect.stringMatching(/model lacks tokenizer\.json$/) })
  await cp(join(folder, 'model'), join(folder, 'broken'), { recursive: true })
  await writeFile(join(folder, 'broken/onnx/text_model.onnx'), 'x')
  const broken = (await doctor({ filter: '{ scorers: [{ name: openai, model: ./broken }] }' })).get('model:openai')
  expect(broken).toMatchObject({
    status: 'fail',
    detail: expect.stringMatching(/text_model\.onnx is not a usable model/),
  })
})

test('of a model that is not in the cache the hub, or its mirror, is asked for the files and their sizes', async () => {
  const asked: string[] = []
  const siblings = ['onnx/vision_model.onnx', 'onnx/text_model.onnx', 'tokenizer.json', 'preprocessor_config.json']
  const port = await listen(
    createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      if (!request.url?.includes('/owner/clip/')) return void response.writeHead(404).end()
      const files = siblings.map((rfilename) => ({ rfilename, size: 2_000_000, blobId: 'a'.repeat(40) }))
      response.end(JSON.stringify({ sha: 'b'.repeat(40), siblings: files }))
    }),
  )
  vi.stubEnv('SKYSCRIPT_CACHE', join(folder, 'cache'))
  vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${port}`)
  try {
    const of = async (model: string) =>
      (await doctor({ filter: `{ scorers: [{ name: a, model: ${model} }] }` })).get('model:a')
    expect(await of('owner/clip@v1')).toMatchObject({ status: 'ok', detail: expect.stringContaining('8.0 MB') })
    expect(await of('owner/gone')).toMatchObject({ status: 'fail', detail: expect.stringContaining('HTTP 404') })
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:1')
    expect(await of('owner/clip')).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining("can't be reached"),
    })
  } finally {
    vi.unstubAllEnvs()
  }
  expect(asked).toEqual([
    'GET /api/models/owner/clip/revision/v1?blobs=true',
    'GET /api/models/owner/gone/revision/main?blobs=true',
  ])
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
  expect(await check({ ...good, redis_version: '6.0.16' })).toMatchObject({
    status: 'fail',
    detail: expect.stringContaining('6.0.16, which is too old'),
  })
})

test('the password of the environment and the rule about encryption hold for doctor as for a build', async () => {
  const plain = (await doctor({ queue: 'redis://queue.example:6379' })).get('redis')!
  expect(plain).toMatchObject({ status: 'fail', detail: expect.stringContaining('without encryption') })
  const logins: string[] = []
  const port = await listen(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      socket.on('data', (data) => {
        const login = /auth\r\n(?:\$\d+\r\n([^\r]*)\r\n)+/i.exec(data.toString())
        if (login) logins.push(login[1]!)
        socket.write('-WRONGPASS invalid password\r\n'.repeat(data.toString().match(/\*\d+\r\n/g)?.length ?? 1))
      })
    }),
  )
  vi.stubEnv('SKYSCRIPT_REDIS_PASSWORD', 'fromEnvironment')
  const refused = (await doctor({ queue: `redis://127.0.0.1:${port}` })).get('redis')!
  vi.unstubAllEnvs()
  expect(refused).toMatchObject({ status: 'fail', detail: expect.stringContaining('refuses the login') })
  expect(logins).toContain('fromEnvironment')
  expect(JSON.stringify(refused)).not.toContain('fromEnvironment')
})

test('every file in checks/ is a check of the list', async () => {
  await expectListed(new URL('checks/', import.meta.url), CHECKS)
})

test('a build is refused before it begins with the sentences of doctor, all of them, and told of warnings', async () => {
  const said: string[] = []
  const terminal = { note: () => {}, warn: (text: string) => said.push(text), stage: () => ({ update() {}, end() {} }) }
  const of = (lines: string) =>
    preflight(parseConfig(`osm: { source: town.osm.pbf }\n${lines}`, join(folder, 'region.yaml')), terminal)
  await of('output: ./out\n')
  const one = of('output: ./out\nqueue: redis://queue.example:6379\n')
  await expect(one).rejects.toMatchObject({ code: 'plain-redis' })
  const two = of('output: ./out\nqueue: redis://queue.example:6379\ncaptions: { rules: rules.yaml }\n')
  await expect(two).rejects.toThrow(/The build can't begin:\n {2}captions\.rules: .*\n {2}.*without encryption/)
  const info = 'loading:0\r\nredis_version:7.0.15\r\nmaxmemory_policy:noeviction\r\naof_enabled:0'
  await of(`output: ./out\nqueue: redis://127.0.0.1:${await listen(redisThatSays(info))}\n`)
  expect(said.join('\n')).toContain('forgets the queue when it restarts')
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
    'ok    node   Node 24\nFAIL  redis  is away\n             -> Start it.\nwarn  disk   is full\n             -> Empty it.\n\nNot ready to build: 1 problem to fix (1 warning).\n',
  )
})

test("a scorer's device and its server are looked for, and the server by its models", async () => {
  const scorer = async (more: string) =>
    (await doctor({ filter: `{ scorers: [{ name: openai, model: ./model, ${more} }] }` })).get('model:openai')!
  const device = process.platform === 'darwin' ? 'dml' : 'coreml'
  expect(await scorer(`device: ${device}`)).toMatchObject({ status: 'fail', detail: expect.stringContaining(device) })
  const port = await listen(createServer((_, response) => void response.writeHead(404).end('{}')))
  const missing = await scorer(`server: { url: 'http://127.0.0.1:${port}', vision: v, text: t }`)
  expect(missing).toMatchObject({ status: 'fail', detail: expect.stringContaining(`127.0.0.1:${port}`) })
  const gone = await scorer("server: { url: 'http://127.0.0.1:9', vision: v, text: t }")
  expect(gone).toMatchObject({ status: 'fail', detail: expect.stringContaining('127.0.0.1:9') })
})
