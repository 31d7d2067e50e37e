// @module-tag slow
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { Queue } from 'bullmq'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { type RedisServer, startRedis } from './support/redis.ts'
import { type S3Server, startS3 } from './support/s3.ts'
import { filesOf, makeFolder, type Running, skyscript, start, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { startSmallTown } from './support/small-map.ts'
import type { Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let redis: RedisServer
let s3: S3Server
/** What one process made of the town by itself. */
let expected: Record<string, string>
const running: Running[] = []
/** Takes connections and says nothing: a build that asks it stays where it is. */
const sockets = new Set<Socket>()
const silent = createServer((socket) => void sockets.add(socket.on('error', () => {})))

const at = (...names: string[]) => join(folder.path, ...names)
const begin = (args: readonly string[], env: Readonly<Record<string, string>> = {}): Running => {
  const process = start(args, { env })
  running.push(process)
  return process
}

beforeAll(async () => {
  folder = await makeFolder('one-owner')
  silent.listen(0, '127.0.0.1')
  ;[town, redis, s3] = await Promise.all([
    startSmallTown(folder.path),
    startRedis(),
    startS3(),
    once(silent, 'listening'),
  ])
  const { code, stderr } = await skyscriptHere(['build', await region('alone', at('alone'))])
  expect(code, stderr).toBe(0)
  expected = filesOf(at('alone'))
}, 120_000)
afterEach(async () => {
  for (const { child } of running) child.kill('SIGKILL')
  await Promise.all(running.splice(0).map(({ done }) => done))
})
afterAll(async () => {
  silent.close()
  for (const socket of sockets) socket.destroy()
  await Promise.all([town?.earthEngine.close(), redis?.stop(), s3?.stop()])
  await folder?.remove()
})

const region = (name: string, output: string, changes: Record<string, unknown> = {}) =>
  writeRegion(at(`${name}.yaml`), town.region(output, changes))
/** Settings whose imagery never comes. */
const stuck = () => {
  const endpoint = `http://127.0.0.1:${(silent.address() as { port: number }).port}`
  return { imagery: { sources: ['CH'], earthEngine: { endpoint, project: 'p' } } }
}
const asked = () => once(silent, 'connection')

describe('two builds of one output at once', () => {
  test.each(['a folder', 'a bucket'])(
    'with the same settings, in %s: one waits and finds all done, and the dataset is as of one',
    async (where) => {
      const isBucket = where === 'a bucket'
      const output = isBucket ? `${s3.url}/same` : at('same')
      const file = await region('same', output)
      const builds = [1, 2, 3].map(() => begin(['build', file, '--json'], s3.env))
      const ended = await Promise.all(builds.map(({ done }) => done))
      for (const { code, stderr } of ended) expect(code, stderr).toBe(0)
      expect(ended.filter(({ stdout }) => JSON.parse(stdout).unchanged)).toHaveLength(2)
      expect(ended.some(({ stderr }) => /waiting for it to end/.test(stderr))).toBe(true)
      const verified = isBucket
        ? await skyscript(['verify', output], { env: s3.env })
        : await skyscriptHere(['verify', output])
      expect(verified.code, verified.stdout).toBe(0)
      if (!isBucket) expect(filesOf(output)).toEqual(expected)
    },
    180_000,
  )

  test('with other settings: the second is refused at once, and so are cut and export into it; a plan too', async () => {
    const output = at('other')
    const file = await region('first', output)
    const built = await skyscriptHere(['build', file])
    expect(built.code, built.stderr).toBe(0)
    const isAsked = asked()
    const owner = begin(['build', await region('second', output, stuck())])
    await isAsked
    const sentence = new RegExp(
      `^skyscript: skyscript build \\(process ${owner.child.pid} on \\S+\\) works on ${output}.*; wait until it has ended, stop it, or choose another output\\.\\n$`,
    )
    for (const args of [
      ['build', await region('third', output, { seed: 7 })],
      ['plan', file],
      ['cut', output],
      ['export', output, '--format', 'card'],
    ]) {
      const { code, stderr } = await skyscriptHere(args)
      expect(code, args.join(' ')).toBe(1)
      expect(stderr).toMatch(sentence)
    }
    expect((await skyscriptHere(['build', file])).stderr).toMatch(/with other settings \(imagery\./)
    owner.child.kill('SIGTERM')
    await owner.done
    const healed = await skyscriptHere(['build', file])
    expect(healed.code, healed.stderr).toBe(0)
    expect(filesOf(output)).toEqual(expected)
  }, 180_000)

  test('whose owner is killed: the next takes over at once, whatever its settings', async () => {
    const output = at('killed')
    for (const settings of ['other', 'same']) {
      const isAsked = asked()
      const owner = begin(['build', await region('stuck', output, stuck())])
      await isAsked
      owner.child.kill('SIGKILL')
      await owner.done
      if (settings === 'same') break
      const { code, stderr } = await skyscriptHere(['build', await region('after', output)])
      expect(code, stderr).toBe(0)
      expect(stderr).not.toMatch(/waiting/)
      expect(filesOf(output)).toEqual(expected)
    }
    const again = begin(['build', at('stuck.yaml')])
    await asked()
    expect(again.child.exitCode).toBeNull()
  }, 120_000)

  test('of which the first has workers: jobs that it left in the queue change nothing of the second', async () => {
    const output = at('queued')
    const first = begin(['build', await region('queued', output, { queue: redis.url, tiles: { pointPixels: 100 } })])
    const jpegs = () => readdirSync(output, { recursive: true }).filter((name) => String(name).endsWith('.jpg')).length
    await mkdir(output)
    begin(['worker', '--queue', redis.url, '--stages', 'plan'])
    // Jobs of fetch wait in the queue, and nobody serves them yet.
    const redisClient = new Redis(redis.url, { maxRetriesPerRequest: null })
    const fetches = new Queue('fetch', { connection: redisClient, prefix: 'skyscript' })
    await vi.waitFor(async () => expect(await fetches.getWaitingCount()).toBeGreaterThan(0), { timeout: 60_000 })
    first.child.kill('SIGKILL')
    await first.done
    const second = begin(['build', await region('second', output)])
    await vi.waitFor(() => expect(jpegs()).toBeGreaterThan(0), { timeout: 60_000, interval: 20 })
    begin(['worker', '--queue', redis.url])
    const { code, stderr } = await second.done
    expect(code, stderr).toBe(0)
    await vi.waitFor(async () => expect(await fetches.getFailedCount()).toBeGreaterThan(0), { timeout: 60_000 })
    const [failed] = await fetches.getFailed(0, 0)
    // A late worker finds that the second build has removed the settings or the plan of the first.
    expect(failed!.failedReason).toMatch(/^(superseded: Another build owns |missing-(run|plan): )/)
    await fetches.close()
    redisClient.disconnect()
    expect(filesOf(output)).toEqual(expected)
  }, 180_000)
})

test('a plan with other settings leaves the finished dataset as it is', async () => {
  const output = at('planned')
  expect((await skyscriptHere(['build', await region('planned', output)])).code).toBe(0)
  const planned = await skyscriptHere(['plan', await region('plan', output, { tiles: { pointPixels: 90 } })])
  expect(planned.code, planned.stderr).toBe(0)
  expect(filesOf(output)).toEqual(expected)
}, 120_000)

describe('one worker', () => {
  test('serves four datasets at once, each as it would be by itself', async () => {
    begin(['worker', '--queue', redis.url])
    const builds = await Promise.all(
      [0, 1, 2, 3].map(async (i) =>
        skyscriptHere(['build', await region(`of-four-${i}`, at(`of-four-${i}`), { queue: redis.url }), '--json']),
      ),
    )
    for (const [i, { code, stdout, stderr }] of builds.entries()) {
      expect(code, stderr).toBe(0)
      expect(JSON.parse(stdout).counts.failed).toEqual({})
      expect(filesOf(at(`of-four-${i}`))).toEqual(expected)
    }
  }, 180_000)

  test('touches nothing outside its --output-root', async () => {
    const worker = begin(['worker', '--queue', redis.url, '--output-root', at('mine'), '--output-root', s3.url], s3.env)
    await worker.says(/Serving/)
    const outside = await skyscriptHere(['build', await region('outside', at('mine-not'), { queue: redis.url })])
    expect(outside.code).not.toBe(0)
    expect(outside.stderr).toMatch(/output-not-allowed.*may not touch .*mine-not: it was started with --output-root/)
    const inside = await skyscriptHere(['build', await region('inside', at('mine', 'town'), { queue: redis.url })])
    expect(inside.code, inside.stderr).toBe(0)
    expect(filesOf(at('mine', 'town'))).toEqual(expected)
  }, 180_000)
})
