import { InputError, isLoopback, isRefusedHost, redact, ServiceError } from '@skyscript/core'
import { Redis, type RedisOptions } from 'ioredis'
import { DEFAULT_PREFIX } from './jobs.ts'

/** Time to connect, log in and look at the server's settings, before we say that it can't be reached. */
const REACH_MS = 5_000
/** A command of a coordinator that takes longer has lost its server. */
const COMMAND_MS = 5_000
/** A connection that hears nothing for so long is dead. Blocking reads of BullMQ end within 10 s by themselves. */
const SILENCE_MS = 30_000
const MAX_RECONNECT_MS = 2_000
/** What BullMQ's scripts need. */
const OLDEST = [6, 2] as const

type Environment = Readonly<Record<string, string | undefined>>

/** Where a Redis is, with its password kept apart from what may be shown. */
export interface RedisAddress {
  readonly options: RedisOptions
  /** For messages: no user, no password. */
  readonly shown: string
  /** A text without the password, however it got in. */
  scrub(text: string): string
}

/**
 * Reads redis://[:password@]host[:port][/database] or rediss://, with special characters of the password
 * percent-encoded. Without a password in the URL, that of SKYSCRIPT_REDIS_PASSWORD is used, so that a region file need
 * not hold one.
 *
 * @throws InputError `bad-queue-url`; `plain-redis` for an unencrypted connection to another host, which would carry the
 * password and the jobs in clear text. Where the network between is trusted (containers of one host, a VPN), the
 * environment variable SKYSCRIPT_ALLOW_PLAIN_REDIS=1 allows it.
 */
export function parseRedisUrl(url: string, environment: Environment = process.env): RedisAddress {
  const parsed = URL.parse(url)
  const database = /^\/?(\d*)$/.exec(parsed?.pathname ?? '')
  if (!parsed || !/^rediss?:$/.test(parsed.protocol) || !database) {
    throw new InputError(
      'bad-queue-url',
      "The queue's URL must be like redis://:password@host:6379, with special characters of the password percent-encoded.",
    )
  }
  const host = parsed.hostname.replace(/^\[(.*)\]$/, '$1') || '127.0.0.1'
  const port = Number(parsed.port || 6379)
  if (isRefusedHost(host))
    throw new InputError('bad-queue-url', "The queue's URL leads to a link-local address or a metadata service.")
  const encrypted = parsed.protocol === 'rediss:'
  const shown = `${parsed.protocol}//${parsed.hostname || host}:${port}`
  if (!encrypted && !isLoopback(host) && environment.SKYSCRIPT_ALLOW_PLAIN_REDIS !== '1') {
    throw new InputError(
      'plain-redis',
      `${shown} would be used without encryption; use rediss://, or set SKYSCRIPT_ALLOW_PLAIN_REDIS=1 where the network between is trusted.`,
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
 * Connects once and looks at the server.
 *
 * @throws InputError `redis-access-denied`, `redis-right-missing`, `redis-too-old`, `redis-evicts`; ServiceError
 * `redis-unreachable`
 */
export async function checkRedis(address: RedisAddress): Promise<RedisFacts> {
  return judge(await redisInfo(address), address)
}

/** What a server that can hold the queue says of itself. */
export interface RedisFacts {
  readonly version: string
  /** Whether it keeps the queue when it restarts; null where it doesn't say. */
  readonly appendOnly: boolean | null
}

/**
 * What the server says of itself (INFO), after trying what else the queue needs: the keys of its prefix, and scripts.
 *
 * @throws InputError `redis-access-denied`, `redis-right-missing`; ServiceError `redis-unreachable`
 */
export async function redisInfo(address: RedisAddress): Promise<string> {
  const settings: RedisOptions = {
    ...address.options,
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
    // The client's own check asks for INFO too, and writes to the console where it may not.
    enableReadyCheck: false,
  }
  const client = new Redis({ ...settings, replyMapping: 'legacy' })
  // The reason for a failed connection comes only here; later errors just say that it is closed.
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
      `Redis at ${shown} may throw jobs away (maxmemory-policy ${policy}); set maxmemory-policy to noeviction in its settings.`,
    )
  }
  const appendOnly = field('aof_enabled')
  return { version, appendOnly: appendOnly === undefined ? null : appendOnly === '1' }
}

/**
 * Which right a user lacks, from the words of a refusal, and the ACL rule that grants it; null for other errors. Redis 6
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

/** What went wrong between us and Redis. The original error may hold the password among its arguments, so it ends here. */
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
      `Redis at ${address.shown} takes no more data (${reason}); give it more memory or disk.`,
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
 * A connection that comes back by itself.
 *
 * `waiting` holds commands back while the server is away, as workers need it; `failing` refuses them at once, so that
 * adding a job never hangs. The caller disconnects it.
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
  // Pending commands fail by themselves; without a listener the client would write to the console.
  client.on('error', () => {})
  return client
}

/** Resolves when the connection can be used. @throws InputError or ServiceError where it can't within a few seconds */
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
