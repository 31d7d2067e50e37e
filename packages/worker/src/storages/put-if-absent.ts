import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError } from '@skyscript/core'

/** What a bucket can do. */
export interface BucketCalls {
  put(key: string, value: Uint8Array | string): Promise<void>
  /** A put with `If-None-Match: *`: whether it was stored; null where the server refuses the condition itself. */
  putConditionally(key: string, value: Uint8Array | string): Promise<boolean | null>
  get(key: string): Promise<Uint8Array | null>
  has(key: string): Promise<boolean>
  delete(key: string): Promise<void>
  /** `modified` by the server's clock, in ms. */
  list(prefix: string): Promise<readonly { readonly key: string; readonly modified: number }[]>
}

/** Tries while others want the same key. */
const TRIES = 60
/** A claim that is this much older than ours belongs to a process that was killed. */
const ABANDONED_MS = 60_000

/**
 * A put that succeeds for one of many.
 *
 * Amazon S3, MinIO, R2 and others have it as a condition. Servers that ignore the condition are found out with a key of
 * our own. On those, a process that wants a key first writes a claim of its own beside it and lists the claims: who sees no
 * other may put the value. Of two, the one that listed last saw the other, since both wrote before they listed; this needs
 * no more than a list that shows what was put before.
 */
export function createPutIfAbsent(bucket: BucketCalls): (key: string, value: Uint8Array | string) => Promise<boolean> {
  let knowing: Promise<boolean> | undefined

  const honoursCondition = async (key: string) => {
    const probe = `${key}.probe-${randomUUID()}`
    await bucket.put(probe, 'probe')
    try {
      return (await bucket.putConditionally(probe, 'probe')) === false
    } finally {
      await bucket.delete(probe)
    }
  }

  const withCondition = async (key: string, value: Uint8Array | string) => {
    for (let tries = 1; tries <= TRIES; tries++) {
      if (await bucket.putConditionally(key, value)) return true
      const there = await bucket.get(key)
      // Ours, where the answer to an earlier try was lost.
      if (there !== null) return Buffer.from(there).equals(Buffer.from(value as string))
      await sleep(50 * Math.random() * tries)
    }
    throw busy(key)
  }

  const withClaims = async (key: string, value: Uint8Array | string) => {
    const claims = `${key}.claims/`
    const own = claims + randomUUID()
    try {
      for (let tries = 1; tries <= TRIES; tries++) {
        if (await bucket.has(key)) return false
        await bucket.put(own, 'claim')
        const listed = await bucket.list(claims)
        const ours = listed.find((each) => each.key === own)?.modified ?? 0
        const others: string[] = []
        for (const each of listed) {
          if (ours - each.modified > ABANDONED_MS) await bucket.delete(each.key)
          else if (each.key !== own) others.push(each.key)
        }
        if (others.length === 0) {
          if (await bucket.has(key)) return false
          await bucket.put(key, value)
          return true
        }
        // The first by name stays; the others make room for it.
        if (others.some((other) => other < own)) await bucket.delete(own)
        await sleep(20 + 80 * Math.random() * Math.min(tries, 10))
      }
      throw busy(key)
    } finally {
      await bucket.delete(own)
    }
  }

  return async (key, value) => {
    if (await bucket.has(key)) return false
    knowing ??= honoursCondition(key).catch((error) => {
      knowing = undefined
      throw error
    })
    return (await knowing) ? withCondition(key, value) : withClaims(key, value)
  }
}

const busy = (key: string) =>
  new ServiceError('storage-busy', `Too many processes want ${key} at once; run the command again.`, { retry: true })
