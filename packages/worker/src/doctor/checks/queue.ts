import { type Check, finding } from '../check.ts'

/** Redis: its version, its settings and what its user may do. */
export const queue: Check = {
  name: 'redis',
  preflight: true,
  async run({ config }) {
    if (config === null || config.queue === 'embedded') return []
    const { checkRedis, parseRedisUrl } = await import('../../queue/redis.ts')
    const url = config.queue
    const look = async () => {
      const address = parseRedisUrl(url)
      const { version, appendOnly } = await checkRedis(address)
      const name = `Redis ${version} at ${address.shown}`
      if (appendOnly !== false) return name
      return {
        warning: `${name} forgets the queue when it restarts`,
        fix: 'Set `appendonly yes` in redis.conf; without it, start the build again after a restart of Redis.',
      }
    }
    return [await finding('redis', look)]
  },
}
