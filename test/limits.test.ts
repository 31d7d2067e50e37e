// @module-tag slow
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RedisServer, startRedis } from './support/redis.ts'
import { makeFolder, skyscript, start, writeRegion } from './support/skyscript.ts'
import { startSmallTown } from './support/small-map.ts'
import type { Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let redis: RedisServer
const LIMIT = 2

beforeAll(async () => {
  folder = await makeFolder('limits')
  ;[town, redis] = await Promise.all([startSmallTown(folder.path), startRedis()])
}, 60_000)
afterAll(async () => {
  await Promise.all([town?.earthEngine.close(), redis?.stop()])
  await folder?.remove()
})

const region = (name: string, earthEngine: Record<string, unknown> = {}, changes: Record<string, unknown> = {}) => {
  const output = join(folder.path, name)
  const endpoint = town.earthEngine.url
  return writeRegion(
    `${output}.yaml`,
    town.region(output, {
      imagery: {
        sources: ['CH', 'S2'],
        earthEngine: { endpoint, project: 'shared', maxConcurrent: LIMIT, ...earthEngine },
      },
      ...changes,
    }),
  )
}

test('two builds and a plan of one project on one machine stay under its limit together', async () => {
  const [one, two, three] = await Promise.all([region('one'), region('two'), region('three')])
  const ended = await Promise.all([
    skyscript(['build', one]),
    skyscript(['build', two]),
    skyscript(['plan', three, '--probe']),
  ])
  for (const { code, stderr } of ended) expect(code, stderr).toBe(0)
  expect(town.earthEngine.stats().peakConcurrent).toBeLessThanOrEqual(LIMIT)
}, 120_000)

test("a plan with a queue is under the queue's limit, and counts what its probe costs in the queue's budget", async () => {
  const worker = start(['worker', '--queue', redis.url])
  try {
    const file = await region('queued', { maxEecuHours: 1 }, { queue: redis.url })
    const planned = await skyscript(['plan', file, '--probe', '--json'])
    expect(planned.code, planned.stderr).toBe(0)
    const plan = JSON.parse(planned.stdout)
    const client = new Redis(redis.url)
    const [ledger] = await client.keys('skyscript:eecu:shared:*')
    const used = Number(await client.hget(ledger!, 'eecuSeconds'))
    client.disconnect()
    expect(used).toBeGreaterThanOrEqual(plan.probe.eecuSeconds)
    expect(plan.budget.used).toBeCloseTo(used / 3600, 6)
  } finally {
    worker.child.kill('SIGKILL')
    await worker.done
  }
}, 120_000)
