import type { ServiceNotice } from '@skyscript/gee-fetch'
import type { Redis } from 'ioredis'
import { DEFAULT_PREFIX } from './jobs.ts'

/** Names of the services with notices; each notice has its own key, which expires. */
const namesOf = (prefix: string) => `${prefix}:notices`
const keyOf = (prefix: string, service: string) => `${prefix}:notice:${service}`
/** A notice expires this long after its worker last renewed it; it is renewed three times as often. */
const LIFETIME_MS = 30_000

/** Posts what this worker is waiting for, for the builds that wait for it. */
export interface NoticeBoard {
  post(notice: ServiceNotice): void
  close(): void
}

/** @param redis a connection that the caller opened and closes; if Redis is unreachable, nothing is posted */
export function openNoticeBoard(redis: Redis, prefix = DEFAULT_PREFIX): NoticeBoard {
  const posted = new Map<string, ServiceNotice>()
  const put = ({ service, text, isOver }: ServiceNotice) => {
    redis
      .multi()
      .sadd(namesOf(prefix), service)
      .set(keyOf(prefix, service), JSON.stringify({ text, isOver }), 'PX', LIFETIME_MS)
      .exec()
      .catch(() => {})
  }
  const renewing = setInterval(() => {
    for (const notice of posted.values()) put(notice)
  }, LIFETIME_MS / 3).unref()
  return {
    post(notice) {
      if (notice.isOver) posted.delete(notice.service)
      else posted.set(notice.service, notice)
      put(notice)
    },
    close: () => clearInterval(renewing),
  }
}

/** The workers' current notices, by service. */
export async function readNotices(redis: Redis, prefix = DEFAULT_PREFIX): Promise<ServiceNotice[]> {
  const services = await redis.smembers(namesOf(prefix))
  if (services.length === 0) return []
  const values = await redis.mget(services.map((service) => keyOf(prefix, service)))
  const gone = services.filter((_, i) => values[i] === null)
  if (gone.length > 0) await redis.srem(namesOf(prefix), ...gone)
  return services.flatMap((service, i) => {
    const value = values[i]
    if (typeof value !== 'string') return []
    const { text, isOver } = JSON.parse(value) as Omit<ServiceNotice, 'service'>
    return [{ service, text, isOver }]
  })
}
