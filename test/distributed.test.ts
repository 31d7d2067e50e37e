// @module-tag slow
import { readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { openStorage } from '../packages/worker/src/storages/storages.ts'
import { type RedisServer, startRedis } from './support/redis.ts'
import { type S3Server, startS3 } from './support/s3.ts'
import { filesOf, makeFolder, type Running, skyscript, start, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { startTown, TOWN, type Town } from './support/town.ts'

const PASSWORD = 'pass word/+:@'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let redis: RedisServer
let s3: S3Server
/** What one process made of the town by itself. */
let embedded: Record<string, string>
const workers: Running[] = []

const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('distributed')
  ;[town, redis, s3] = await Promise.all([
    startTown(folder.path),
    startRedis({ password: PASSWORD, appendonly: true }),
    startS3(),
  ])
  const region = await writeRegion(at('embedded.yaml'), wide(at('embedded')))
  const { code, stderr } = await skyscriptHere(['build', region])
  expect(code, stderr).toBe(0)
  embedded = filesOf(at('embedded'))
  expect(Object.keys(embedded).length).toBeGreaterThan(100)
}, 120_000)
// A test that failed leaves no worker for the next.
afterEach(() => {
  for (const worker of workers.splice(0)) worker.child.kill('SIGKILL')
})
afterAll(async () => {
  await Promise.all([town?.earthEngine.close(), redis?.stop(), s3?.stop()])
  await folder?.remove()
})

function startWorker(env: Readonly<Record<string, string>> = {}, args: readonly string[] = []): Running {
  const worker = start(['worker', '--queue', redis.url, ...args], { env })
  workers.push(worker)
  return worker
}

async function stopWorkers(): Promise<void> {
  for (const worker of workers) worker.child.kill('SIGTERM')
  for (const { code, stdout, stderr } of await Promise.all(workers.splice(0).map((worker) => worker.done))) {
    expect(code, stderr).toBe(0)
    expect(stdout + stderr).not.toContain(PASSWORD)
    expect(stdout + stderr).not.toContain(encodeURIComponent(PASSWORD))
  }
}

/** The whole extract: ten map tiles, so that several workers have something to do in every stage; images are small. */
const wide = (output: string, changes = {}) =>
  town.region(output, {
    osm: { source: TOWN },
    imagery: { sources: ['CH', 'S2'], earthEngine: { endpoint: town.earthEngine.url, project: 'town-test' } },
    tiles: { minPixels: 32, maxPixels: 240, pointPixels: 64 },
    ...changes,
  })
const queued = (output: string) => wide(output, { queue: redis.url })

test('one worker gives the bytes of an embedded build', async () => {
  startWorker()
  const region = await writeRegion(at('one.yaml'), queued(at('one')))
  const { code, stdout, stderr } = await skyscriptHere(['build', region])
  await stopWorkers()
  expect(code, stderr).toBe(0)
  expect(stdout + stderr).not.toContain(PASSWORD)
  expect(filesOf(at('one'))).toEqual(embedded)
}, 120_000)

test('three workers give the bytes of an embedded build, even if one is killed and one does not score', async () => {
  const victim = startWorker()
  startWorker({}, ['--stages', 'plan,fetch,caption'])
  startWorker()
  const region = await writeRegion(at('three.yaml'), queued(at('three')))
  const build = start(['build', region])
  await mkdir(at('three'))
  const images = () =>
    readdirSync(at('three'), { recursive: true }).filter((name) => /\.jpg$/.test(String(name))).length
  while (images() < 10) await new Promise((resolve) => setTimeout(resolve, 10))
  victim.child.kill('SIGKILL')
  await victim.done
  workers.splice(workers.indexOf(victim), 1)
  const { code, stderr } = await build.done
  await stopWorkers()
  expect(code, stderr).toBe(0)
  expect(filesOf(at('three'))).toEqual(embedded)
  // Half a minute until the queue gives the killed worker's jobs to another.
}, 180_000)

test('workers on a bucket give the bytes of an embedded build in a folder, and verify reads them there', async () => {
  startWorker(s3.env)
  startWorker(s3.env)
  const output = `${s3.url}/region/town`
  const region = await writeRegion(at('s3.yaml'), queued(output))
  const { code, stderr } = await skyscript(['build', region], { env: s3.env })
  await stopWorkers()
  expect(code, stderr).toBe(0)
  await download(output, at('from-s3'))
  expect(filesOf(at('from-s3'))).toEqual(embedded)

  const again = await skyscript(['build', region, '--json'], { env: s3.env })
  expect(again.code, again.stderr).toBe(0)
  expect(JSON.parse(again.stdout)).toEqual(expect.objectContaining({ jobs: {}, unchanged: true }))
  const verified = await skyscript(['verify', output], { env: s3.env })
  expect(verified.code, verified.stdout + verified.stderr).toBe(0)
}, 120_000)

async function download(url: string, target: string): Promise<void> {
  Object.assign(process.env, s3.env)
  const storage = await openStorage(url)
  for await (const { key } of storage.list('')) {
    if (key.startsWith('work/')) continue
    const path = join(target, key)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, (await storage.get(key))!)
  }
}
