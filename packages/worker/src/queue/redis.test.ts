import { once } from 'node:events'
import { createServer } from 'node:net'
import { inspect } from 'node:util'
import { Redis } from 'ioredis'
import { describe, expect, test } from 'vitest'
import { startRedis } from '../../../../test/support/redis.ts'
import { checkRedis, parseRedisUrl } from './redis.ts'

const caught = (task: () => unknown) => {
  try {
    task()
  } catch (error) {
    return error as Error & { code: string }
  }
  throw new Error('nothing was thrown')
}

describe("a queue's URL", () => {
  test.each([
    ['redis://', '127.0.0.1', 6379],
    ['redis://localhost:7000/2', 'localhost', 7000],
    ['redis://[::1]', '::1', 6379],
    ['rediss://cache.example.com', 'cache.example.com', 6379],
  ])('%s is read', (url, host, port) => {
    expect(parseRedisUrl(url, {}).options).toMatchObject({ host, port })
  })

  test('to another host must be encrypted, unless that is allowed', () => {
    const url = 'redis://:hunter2@redis:6379'
    const error = caught(() => parseRedisUrl(url, {}))
    expect(error).toMatchObject({ name: 'InputError', code: 'plain-redis' })
    expect(error.message).not.toContain('hunter2')
    expect(parseRedisUrl(url, { SKYSCRIPT_ALLOW_PLAIN_REDIS: '1' }).options).toMatchObject({
      host: 'redis',
      password: 'hunter2',
    })
    expect(parseRedisUrl('rediss://:hunter2@redis', {}).options.tls).toMatchObject({ servername: 'redis' })
  })

  test.each([
    'http://x',
    'redis://:hunter2@',
    'redis://:hunter2@host:port',
    'redis://:hunter2@localhost/path',
    'redis://:hunter2@169.254.169.254:80',
    'rediss://:hunter2@[fe80::1]',
    'hunter2',
  ])('%s is refused without repeating it', (url) => {
    const error = caught(() => parseRedisUrl(url, {}))
    expect(error.code).toBe('bad-queue-url')
    expect(inspect(error)).not.toContain('hunter2')
  })

  test('its password is removed from any text, encoded or not', () => {
    const { scrub, shown } = parseRedisUrl('redis://:p%40ss%2Fword@localhost', {})
    expect(scrub('p@ss/word and p%40ss%2Fword and redis://x:y@z')).toBe('*** and *** and redis://***@z')
    expect(shown).toBe('redis://localhost:6379')
  })
})

describe('an unusable Redis is refused with advice:', () => {
  test('one that may evict jobs', async () => {
    const server = await startRedis({ maxmemoryPolicy: 'allkeys-lru' })
    await expect(checkRedis(parseRedisUrl(server.url))).rejects.toMatchObject({
      name: 'InputError',
      code: 'redis-evicts',
      message: expect.stringMatching(/noeviction/),
    })
    await server.stop()
  })

  test('one with another password', async () => {
    const server = await startRedis({ password: 'right' })
    for (const login of ['', ':hunter2@', 'nobody:hunter2@']) {
      const error = await checkRedis(parseRedisUrl(server.url.replace(/:right@/, login))).catch((reason) => reason)
      expect(error).toMatchObject({ name: 'InputError', code: 'redis-access-denied' })
      expect(inspect(error, { depth: 10 })).not.toContain('hunter2')
    }
    await checkRedis(parseRedisUrl(server.url))
    await server.stop()
  })

  test('an unreachable one, and one that never answers, within a few seconds', async () => {
    const mute = createServer(() => {}).listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const from = Date.now()
    for (const port of [9, (mute.address() as { port: number }).port]) {
      const error = await checkRedis(parseRedisUrl(`redis://:hunter2@127.0.0.1:${port}`)).catch((reason) => reason)
      expect(error).toMatchObject({ name: 'ServiceError', code: 'redis-unreachable', retry: true })
      expect(inspect(error, { depth: 10 })).not.toContain('hunter2')
    }
    expect(Date.now() - from).toBeLessThan(6500)
    mute.close()
  })
})

describe('the message names the permission that a Redis user lacks', () => {
  const lacks = (rules: readonly string[]) => async () => {
    const server = await startRedis()
    const admin = new Redis(server.url)
    await admin.call('ACL', 'SETUSER', 'limited', 'on', '>hunter2', ...rules)
    admin.disconnect()
    const address = parseRedisUrl(server.url.replace('://', '://limited:hunter2@'))
    const result = await checkRedis(address).catch((reason) => reason)
    await server.stop()
    return result
  }

  test.each<[string, string[], RegExp]>([
    ['INFO', ['~*', '&*', '+@all', '-@admin', '-@dangerous'], /run INFO .*\+info$/],
    ['scripts', ['~*', '&*', '+@all', '-@scripting'], /run EVAL .*\+eval$/],
    ['the keys of the queue', ['~other:*', '&*', '+@all'], /use the keys .*~skyscript:\*$/],
    [
      'commands inside scripts',
      ['~*', '&*', '+info', '+eval', '+client', '+hello'],
      /run a command of the queue's scripts/,
    ],
  ])('%s', async (_, rules, sentence) => {
    const error = await lacks(rules)()
    expect(error).toMatchObject({
      name: 'InputError',
      code: 'redis-right-missing',
      message: expect.stringMatching(sentence),
    })
    expect(error.message).not.toMatch(/password|hunter2/)
  })

  test('with these permissions it is accepted', async () => {
    expect(await lacks(['~skyscript:*', '&*', '+@all', '-@admin', '-@dangerous', '+info'])()).toMatchObject({
      version: expect.any(String),
    })
  })
})
