import { randomUUID } from 'node:crypto'
import { messageOf, redact, SkyscriptError } from '@skyscript/core'
import type { Finding } from './doctor.ts'

/** Whether a bucket can be written, read and cleaned up; a folder is looked at by the disk check. */
export async function checkOutput(output: string): Promise<Finding> {
  if (!output.startsWith('s3://')) return { status: 'ok', detail: `${output} (folder)` }
  const { openStorage } = await import('../storages/storages.ts')
  const key = `work/doctor/${randomUUID()}`
  try {
    const storage = await openStorage(output)
    await storage.put(key, 'doctor')
    const back = await storage.get(key)
    await storage.delete(key)
    if (back !== null && Buffer.from(back).toString() === 'doctor') {
      return { status: 'ok', detail: `${redact(output)} can be written and read` }
    }
    return {
      status: 'fail',
      detail: `${redact(output)} does not give back what was written`,
      fix: 'Use an S3 service with read-after-write consistency.',
    }
  } catch (error) {
    return {
      status: 'fail',
      detail: `${redact(output)} can't be used: ${messageOf(error)}`,
      fix: 'Set AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and, for other S3 servers, AWS_ENDPOINT_URL; the key needs to list, get, put and delete.',
    }
  }
}

/** BullMQ loses jobs where Redis may evict keys; without an append-only file a restart of Redis forgets the queue. */
export async function checkRedis(url: string): Promise<Finding> {
  const { parseRedisUrl, redisInfo } = await import('../queue/redis.ts')
  try {
    const address = parseRedisUrl(url)
    const info = Object.fromEntries(
      (await redisInfo(address))
        .split(/\r?\n/)
        .filter((line) => line.includes(':'))
        .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
    ) as Record<string, string>
    return judgeRedis(address.shown, info)
  } catch (error) {
    if (!(error instanceof SkyscriptError)) throw error
    // The sentence says what is wrong, and after its last semicolon what to do.
    const cut = error.message.lastIndexOf('; ')
    const fix =
      error.code === 'redis-unreachable'
        ? 'Start Redis (`docker compose up redis`, or Debian package redis-server) or correct `queue`.'
        : `${error.message.charAt(cut + 2).toUpperCase()}${error.message.slice(cut + 3)}`
    return { status: 'fail', detail: error.message.slice(0, cut), fix }
  }
}

function judgeRedis(url: string, info: Readonly<Record<string, string>>): Finding {
  const name = `Redis ${info.redis_version ?? '?'} at ${url}`
  const major = Number(info.redis_version?.split('.')[0] ?? 0)
  if (major < 6) return { status: 'fail', detail: `${name} is too old`, fix: 'BullMQ needs Redis 6.2 or newer.' }
  const policy = info.maxmemory_policy
  if (policy !== 'noeviction') {
    return {
      status: 'fail',
      detail: `${name} may evict jobs (maxmemory-policy ${policy ?? 'unknown'})`,
      fix: 'Set `maxmemory-policy noeviction` in redis.conf.',
    }
  }
  if (info.aof_enabled !== '1') {
    return {
      status: 'warn',
      detail: `${name} forgets the queue when it restarts`,
      fix: 'Set `appendonly yes` in redis.conf; without it, start the build again after a restart of Redis.',
    }
  }
  return { status: 'ok', detail: `${name}, noeviction, append-only file` }
}
