/**
 * For a container's health check: exit 0 where the queue of SKYSCRIPT_QUEUE can be used, else 1 with the reason.
 */
import { messageOf } from '@skyscript/core'
import { checkRedis, parseRedisUrl } from '../../packages/worker/src/queue/redis.ts'

try {
  await checkRedis(parseRedisUrl(process.env.SKYSCRIPT_QUEUE ?? ''))
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = 1
}
