import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type RedisServer, startRedis } from '../../../test/support/redis.ts'
import { redisLedger } from '../../worker/src/limits/redis-ledger.ts'
import { fileLedger } from './eecu-ledger.ts'

let folder: string
let server: RedisServer
let redis: Redis
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-ledger-'))
  server = await startRedis()
  redis = new Redis(server.url)
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
  await rm(folder, { recursive: true, force: true })
})

const use = { eecuSeconds: 0.25, requests: 2, pixels: 1000 }
const clock = (day: string) => () => new Date(`${day}T12:00:00Z`)

test.each(['a file', 'Redis'])('%s adds up what all processes of a project used, month by month', async (kind) => {
  const open = (project: string, day: string) =>
    kind === 'Redis' ? redisLedger(redis, project, clock(day)) : fileLedger(folder, project, clock(day))
  expect(await open('one', '2026-11-30').read()).toEqual({ eecuSeconds: 0, requests: 0, pixels: 0 })
  await Promise.all(Array.from({ length: 40 }, () => open('one', '2026-11-03').add(use)))
  expect(await open('one', '2026-11-30').read()).toEqual({ eecuSeconds: 10, requests: 80, pixels: 40_000 })
  expect((await open('one', '2026-12-01').read()).requests).toBe(0)
  expect((await open('two', '2026-11-30').read()).requests).toBe(0)
})

test('a line that was cut short counts for nothing, and a project can not name another folder', async () => {
  const ledger = fileLedger(folder, '../../cut', clock('2026-11-03'))
  await ledger.add(use)
  const [name] = (await readdir(join(folder, 'eecu'))).filter((each) => each.includes('cut'))
  await appendFile(join(folder, 'eecu', name!), '{"eecuSeconds":1,"requ')
  expect(await ledger.read()).toEqual(use)
})

test('months that nobody asks about any more leave Redis', async () => {
  await redisLedger(redis, 'old', clock('2026-11-03')).add(use)
  expect(await redis.ttl('skyscript:eecu:old:2026-11')).toBeGreaterThan(60 * 86_400)
})
