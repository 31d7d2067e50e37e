// @module-tag slow
import { generateKeyPairSync } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFolder, type Ran, skyscript, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { startSmallTown } from './support/small-map.ts'
import { MODEL, TOWN, type Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let number = 0

const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('bad-input')
  town = await startSmallTown(folder.path)
})
afterAll(async () => {
  await town?.earthEngine.close()
  await folder?.remove()
})

/** Builds a region that can't be built, and looks at what is left. */
async function refused(changes: Readonly<Record<string, unknown>>): Promise<Ran> {
  const output = at(`out-${++number}`)
  const region = await writeRegion(at(`region-${number}.yaml`), town.region(output, changes))
  const ran = await skyscriptHere(['build', region])
  expect(ran.code, ran.stderr).toBe(1)
  expect(existsSync(join(output, 'dataset.lock.json')), 'nothing half-written looks finished').toBe(false)
  expect(ran.stderr, 'a sentence, not a stack').not.toMatch(/\n\s+at .*:\d+:\d+/)
  expect(ran.stdout).toBe('')
  return ran
}

const imagery = (earthEngine: Readonly<Record<string, unknown>>) => ({ imagery: { sources: ['CH'], earthEngine } })
const scorers = (model: string) => ({ filter: { scorers: [{ name: 'openai', model }] } })

test('a config with several faults is answered with all of them, each with the path of its field', async () => {
  const file = at('faults.yaml')
  await writeFile(
    file,
    'osm: {}\nimagery: { sources: [XX], earthEngine: { endpont: local } }\nfilter: { top: [0], val: many }\ntiles: { shift: 2 }\n',
  )
  const { code, stderr } = await skyscript(['build', file])
  expect(code).toBe(1)
  for (const path of [
    'osm.source',
    'imagery.sources[0]',
    'imagery.earthEngine.endpont',
    'filter.top[0]',
    'filter.val',
    'tiles.shift',
    'output',
  ]) {
    expect(stderr).toContain(`  ${path}:`)
  }
})

test('a missing region file, and one that is no YAML, are named', async () => {
  const missing = await skyscriptHere(['build', at('nowhere.yaml')])
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('nowhere.yaml: there is no such file')])
  await writeFile(at('not.yaml'), 'osm: [unclosed\n  "')
  const broken = await skyscriptHere(['build', at('not.yaml')])
  expect([broken.code, broken.stderr]).toEqual([1, expect.stringContaining('not.yaml has')])
})

test('an extract that is missing, empty, no PBF or cut short is named, with what is wrong', async () => {
  expect((await refused({ osm: { source: at('none.osm.pbf') } })).stderr).toContain('none.osm.pbf')
  await writeFile(at('empty.osm.pbf'), '')
  expect((await refused({ osm: { source: at('empty.osm.pbf') } })).stderr).toContain('empty.osm.pbf')
  await writeFile(at('page.osm.pbf'), '<!DOCTYPE html><html><body>404 Not Found</body></html>'.repeat(40))
  expect((await refused({ osm: { source: at('page.osm.pbf') } })).stderr).toMatch(/page\.osm\.pbf.*PBF/)
  const whole = await readFile(TOWN)
  for (const share of [0.001, 0.3, 0.999]) {
    await writeFile(at('cut.osm.pbf'), whole.subarray(0, Math.floor(whole.length * share)))
    expect((await refused({ osm: { source: at('cut.osm.pbf') } })).stderr).toContain('cut.osm.pbf')
  }
})

test('a model folder without one of its files is answered with the name of that file, before any image is asked for', async () => {
  for (const file of ['onnx/vision_model.onnx', 'onnx/text_model.onnx', 'tokenizer.json', 'preprocessor_config.json']) {
    await cp(MODEL, at('model'), { recursive: true })
    await rm(at('model', file))
    expect((await refused(scorers(at('model')))).stderr).toContain(file)
    await rm(at('model'), { recursive: true })
  }
  expect((await refused(scorers(at('no-model')))).stderr).toContain('no-model')
  expect(town.earthEngine.stats().requests.pixels).toBe(0)
})

test('an Earth Engine that does not listen, and one that is something else, are named', async () => {
  const away = await refused(imagery({ endpoint: 'http://127.0.0.1:9', project: 'p' }))
  expect(away.stderr).toContain('127.0.0.1:9')
  const page = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<h1>Sign in</h1>'))
  await new Promise<void>((resolve) => page.listen(0, '127.0.0.1', resolve))
  const { port } = page.address() as AddressInfo
  const other = await refused(imagery({ endpoint: `http://127.0.0.1:${port}`, project: 'p' }))
  expect(other.stderr).toContain(`127.0.0.1:${port}`)
  page.close()
}, 120_000)

test('wrong credentials are one sentence that holds no secret', async () => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
  const tokens = createServer((_, response) =>
    response
      .writeHead(400, { 'Content-Type': 'application/json' })
      .end(JSON.stringify({ error: 'invalid_grant', error_description: 'Invalid JWT Signature.' })),
  )
  await new Promise<void>((resolve) => tokens.listen(0, '127.0.0.1', resolve))
  const { port } = tokens.address() as AddressInfo
  const key = {
    type: 'service_account',
    project_id: 'p',
    private_key_id: 'abc',
    private_key: privateKey,
    client_email: 'builder@p.iam.gserviceaccount.com',
    token_uri: `http://127.0.0.1:${port}/token`,
  }
  await writeFile(at('key.json'), JSON.stringify(key))
  const earthEngine = { endpoint: town.earthEngine.url, project: 'p' }
  const wrong = await refused(imagery({ ...earthEngine, credentials: at('key.json') }))
  expect(wrong.stderr).toMatch(/credentials|key/i)
  expect(wrong.stderr).not.toContain(privateKey.split('\n')[1]!)
  tokens.close()

  await writeFile(at('broken.json'), '{ "type": "service_account" ')
  expect((await refused(imagery({ ...earthEngine, credentials: at('broken.json') }))).stderr).toContain('broken.json')
  expect((await refused(imagery({ ...earthEngine, credentials: at('no-key.json') }))).stderr).toContain('no-key.json')
}, 120_000)

test('a queue that does not answer is named without its password', async () => {
  const { stderr } = await refused({ queue: 'redis://:hunter2@127.0.0.1:9' })
  expect(stderr).toContain('127.0.0.1:9')
  expect(stderr).not.toContain('hunter2')
})

test('an output that cannot be made is named', async () => {
  await writeFile(at('file'), '')
  const region = await writeRegion(at('output.yaml'), town.region(at('file', 'out')))
  const { code, stderr } = await skyscriptHere(['build', region])
  expect([code, stderr]).toEqual([1, expect.stringContaining('choose another output')])
})

test('an empty region is a whole dataset without pairs', async () => {
  const region = town.region(at('sea'), { osm: { source: TOWN, clip: [0, 0, 0.1, 0.1] } })
  const { code, stdout, stderr } = await skyscriptHere(['build', await writeRegion(at('sea.yaml'), region)])
  expect(code, stderr).toBe(0)
  expect(stdout).toContain('0 image-text pairs')
  expect((await skyscriptHere(['verify', at('sea')])).code).toBe(0)
})

test('an image that cannot be had is counted under its reason, and the dataset is whole without it', async () => {
  // Every request of one image fails for good; the others go through.
  const requests: string[] = []
  const proxy = createServer(async (request, response) => {
    const chunks: Buffer[] = await Array.fromAsync(request)
    const body = Buffer.concat(chunks)
    if (request.url!.endsWith(':computePixels')) {
      const grid = JSON.stringify(JSON.parse(body.toString()).grid)
      if (!requests.includes(grid)) requests.push(grid)
      if (requests.indexOf(grid) === 3) {
        const error = {
          error: { code: 400, message: 'Image.load: Image asset not found.', status: 'INVALID_ARGUMENT' },
        }
        response.writeHead(400, { 'Content-Type': 'application/json' }).end(JSON.stringify(error))
        return
      }
    }
    const answer = await fetch(town.earthEngine.url + request.url, {
      method: request.method!,
      headers: { 'Content-Type': 'application/json' },
      ...(body.length > 0 && { body }),
    })
    response.writeHead(answer.status, { 'Content-Type': answer.headers.get('content-type')! })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
  const region = town.region(at('one-lost'), {
    imagery: { sources: ['CH', 'S2'], earthEngine: { endpoint, project: 'p' } },
  })
  const { code, stdout, stderr } = await skyscriptHere(['build', await writeRegion(at('lost.yaml'), region), '--json'])
  proxy.close()
  const { counts } = JSON.parse(stdout)
  expect(code, stderr).toBe(0)
  expect(counts.kept).toBeGreaterThan(8)
  expect(counts.dropped).toMatchObject({ 'image-gone': 1 })
  expect(counts.failed).toEqual({})
  const { code: verified, stdout: faults } = await skyscriptHere(['verify', at('one-lost')])
  expect(verified, faults).toBe(0)
}, 120_000)
