import { InputError, isLoopback, isRefusedHost, redact, ServiceError } from '@skyscript/core'
import { Redis, type RedisOptions } from 'ioredis'
import { DEFAULT_PREFIX } from './jobs.ts'

/** Time limit to connect, log in and read the server's settings. */
const REACH_MS = 5_000
/** A coordinator's command that takes longer has lost its server. */
const COMMAND_MS = 5_000
/** A connection that receives nothing for this long is dead. BullMQ's blocking reads return within 10 s. */
const SILENCE_MS = 30_000
const MAX_RECONNECT_MS = 2_000
/** Minimum version for BullMQ's scripts. */
const OLDEST = [6, 2] as const

type Environment = Readonly<Record<string, string | undefined>>

/** The address of a Redis, with its password separate from what may be shown. */
export interface RedisAddress {
  readonly options: RedisOptions
  /** For messages: without user and password. */
  readonly shown: string
  /** Removes the password from a text. */
  scrub(text: string): string
}

/**
 * Parses redis://[:password@]host[:port][/database] or rediss://, with special characters of the password
 * percent-encoded. If the URL has no password, SKYSCRIPT_REDIS_PASSWORD is used, so that a region file does not have to
 * contain one.
 *
 * @throws InputError `bad-queue-url`; `plain-redis` for an unencrypted connection to another host, which would expose the
 * password and the jobs. On a trusted network (containers of one host, a VPN), the environment variable
 * SKYSCRIPT_ALLOW_PLAIN_REDIS=1 allows it.
 */
export function parseRedisUrl(url: string, environment: Environment = process.env): RedisAddress {
  const parsed = URL.parse(url)
  const database = /^\/?(\d*)$/.exec(parsed?.pathname ?? '')
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || !database) {
    throw new InputError(
      'bad-queue-url',
      "The queue's URL must be like rediss://host:6379; set its password as SKYSCRIPT_REDIS_PASSWORD.",
    )
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1'
  const port = Number(parsed.port || 6379)
  if (isRefusedHost(host))
    throw new InputError('bad-queue-url', "The queue's URL is a link-local address or a metadata service.")
  const encrypted = parsed.protocol === 'rediss:'
  const shown = `${parsed.protocol}//${parsed.hostname || host}:${port}`
  if (!encrypted && !isLoopback(host) && environment.SKYSCRIPT_ALLOW_PLAIN_REDIS !== '1') {
    throw new InputError(
      'plain-redis',
      `${shown} would be used without encryption; use rediss://, or set SKYSCRIPT_ALLOW_PLAIN_REDIS=1 if the network is trusted.`,
    )
  }
  const username = decode(parsed.username)
  const password = decode(parsed.password) || environment.SKYSCRIPT_REDIS_PASSWORD || ''
  const secrets = [password, parsed.password].filter((secret) => secret !== '')
  return {
    options: {
      host,
      port,
      ...(username && { username }),
      ...(password && { password }),
      ...(database[1] && { db: Number(database[1]) }),
      ...(encrypted && { tls: { servername: host } }),
      connectTimeout: REACH_MS,
      keepAlive: 10_000,
    },
    shown,
    scrub: (text) => secrets.reduce((clean, secret) => clean.replaceAll(secret, '***'), redact(text)),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/**
 * Connects once and checks the server.
 *
 * @throws InputError `redis-access-denied`, `redis-right-missing`, `redis-too-old`, `redis-evicts`; ServiceError
 * `redis-unreachable`
 */
export async function checkRedis(address: RedisAddress): Promise<RedisFacts> {
  return judge(await redisInfo(address), address)
}

/** What a server that can hold the queue reports. */
export interface RedisFacts {
  readonly version: string
  /** Whether the queue survives a restart of the server; null if the server doesn't say. */
  readonly appendOnly: boolean | null
}

/**
 * The server's INFO, after trying what else the queue needs: the keys of its prefix, and scripts.
 *
 * @throws InputError `redis-access-denied`, `redis-right-missing`; ServiceError `redis-unreachable`
 */
export async function redisInfo(address: RedisAddress): Promise<string> {
  const settings: RedisOptions = {
    ...address.options,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // The client's own check also needs INFO, and writes to the console if that is denied.
    enableReadyCheck: false,
  }
  const client = new Redis({ ...settings, replyMapping: 'legacy' })
  // Only this event has the reason of a failed connection; later errors just say that it is closed.
  let reason: unknown
  client.on('error', (error) => {
    reason ??= error
  })
  const { promise: late, reject } = Promise.withResolvers<never>()
  const limit = setTimeout(() => reject(new Error(`no answer within ${REACH_MS / 1000} s`)), REACH_MS)
  try {
    const look = async () => {
      await client.connect()
      const info = await client.info()
      await client.eval("return redis.call('EXISTS', KEYS[1])", 1, `${DEFAULT_PREFIX}:access`)
      return info
    }
    return await Promise.race([look(), late])
  } catch (error) {
    throw asRedisFault(reason ?? error, address)
  } finally {
    clearTimeout(limit)
    client.disconnect()
  }
}

function judge(info: string, { shown }: RedisAddress): RedisFacts {
  const field = (name: string) => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1]
  const version = field('redis_version') ?? '0'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    throw new InputError(
      'redis-too-old',
      `Redis at ${shown} is ${version}, which is too old; install Redis ${OLDEST.join('.')} or newer.`,
    )
  }
  const policy = field('maxmemory_policy')
  if (policy !== undefined && policy !== 'noeviction') {
    throw new InputError(
      'redis-evicts',
      `Redis at ${shown} may evict jobs (maxmemory-policy ${policy}); set maxmemory-policy to noeviction in its settings.`,
    )
  }
  const appendOnly = field('aof_enabled')
  return { version, appendOnly: appendOnly === undefined ? null : appendOnly === '1' }
}

/**
 * Which permission a user lacks, from the error message, and the ACL rule that grants it; null for other errors. Redis 6
 * to 8 say `NOPERM ... the 'info' command`, `... one of the keys`, `... a channel`, and inside a script `can't run this command`.
 */
function missingRight(reason: string): { readonly what: string; readonly rule: string } | null {
  if (!/\bNOPERM\b|ACL failure|can't run this command/.test(reason)) return null
  const command = /'([a-z|_-]+)' command/i.exec(reason)?.[1]
  if (command !== undefined) return { what: `run ${command.toUpperCase()}`, rule: `+${command.toLowerCase()}` }
  if (/\bkeys?\b/.test(reason)) return { what: 'use the keys of the queue', rule: '~skyscript:*' }
  if (/\bchannels?\b/.test(reason)) return { what: 'use channels', rule: '&*' }
  return { what: "run a command of the queue's scripts", rule: '+@all -@admin -@dangerous +info' }
}

/** Converts errors of Redis. The original error may hold the password among its arguments, so it is not attached. */
export function asRedisFault(error: unknown, address: RedisAddress): InputError | ServiceError {
  const reason = address.scrub(
    error instanceof Error ? error.message || ((error as NodeJS.ErrnoException).code ?? error.name) : String(error),
  )
  if (/\b(NOAUTH|WRONGPASS)\b|invalid password|without any password/.test(reason)) {
    return new InputError(
      'redis-access-denied',
      `Redis at ${address.shown} refuses the login (${reason}); put the password into the URL, redis://:password@host:6379.`,
    )
  }
  const right = missingRight(reason)
  if (right !== null) {
    return new InputError(
      'redis-right-missing',
      `Redis at ${address.shown} does not let this user ${right.what} (${reason}); grant it with: ACL SETUSER <user> ${right.rule}`,
    )
  }
  if (/^(OOM|MISCONF)\b/.test(reason)) {
    return new ServiceError(
      'redis-full',
      `Redis at ${address.shown} accepts no more data (${reason}); give it more memory or disk.`,
      { retry: true },
    )
  }
  return new ServiceError(
    'redis-unreachable',
    `Redis at ${address.shown} can't be reached (${reason}); start it (docker compose up redis, or Debian's package redis-server) or correct the queue's URL.`,
    { retry: true },
  )
}

/**
 * A connection that reconnects automatically.
 *
 * With `waiting`, commands wait while the server is unreachable, as workers need; with `failing`, they are refused at once,
 * so that adding a job never hangs. The caller disconnects it.
 */
export function openRedis(address: RedisAddress, whileAway: 'waiting' | 'failing'): Redis {
  const settings: RedisOptions = {
    ...address.options,
    retryStrategy: (times) => Math.min(MAX_RECONNECT_MS, 100 * 2 ** Math.min(times, 8)) * (0.5 + Math.random() / 2),
    socketTimeout: SILENCE_MS,
    ...(whileAway === 'waiting'
      ? { maxRetriesPerRequest: null }
      : { maxRetriesPerRequest: 0, enableOfflineQueue: false, commandTimeout: COMMAND_MS }),
  }
  const client = new Redis({ ...settings, replyMapping: 'legacy' })
  // Pending commands fail with their own errors; without a listener the client would write to the console.
  client.on('error', () => {})
  return client
}

/** Resolves when the connection is usable. @throws InputError or ServiceError if it isn't within a few seconds */
export async function untilReady(client: Redis, address: RedisAddress): Promise<void> {
  if (client.status === 'ready') return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(asRedisFault(new Error('no connection'), address)), REACH_MS)
  client.once('ready', resolve)
  try {
    await promise
  } finally {
    clearTimeout(timer)
    client.off('ready', resolve)
  }
}
