import { expect, test } from 'vitest'
import { InputError, ServiceError } from './errors.ts'
import { once } from './once.ts'
import { retrying } from './retry.ts'

const failing = (errors: readonly Error[]) => {
  const calls: number[] = []
  const work = async () => {
    calls.push(performance.now())
    const error = errors[calls.length - 1]
    if (error) throw error
    return calls.length
  }
  return { calls, work }
}
const passing = (retryAfterMs?: number) =>
  new ServiceError('busy', 'busy', { retry: true, ...(retryAfterMs !== undefined && { retryAfterMs }) })

test('what may pass is tried again, no sooner than the service asks for, and in the end thrown', async () => {
  const { calls, work } = failing([passing(), passing(60)])
  expect(await retrying(work, { tries: 3, pauseMs: 1 })).toBe(3)
  expect(calls[2]! - calls[1]!).toBeGreaterThanOrEqual(58)
  const last = passing()
  await expect(retrying(failing([passing(), last]).work, { tries: 2, pauseMs: 1 })).rejects.toBe(last)
})

test.each([
  new ServiceError('gone', 'gone', { retry: false }),
  new InputError('bad', 'bad'),
  new TypeError('a fault of ours'),
])('%s is thrown at once', async (error) => {
  const { calls, work } = failing([error])
  await expect(retrying(work, { tries: 5, pauseMs: 1 })).rejects.toBe(error)
  expect(calls).toHaveLength(1)
})

test('something is made once, and again only if the promise of it failed', async () => {
  let made = 0
  const value = once(() => ++made)
  expect([value(), value()]).toEqual([1, 1])
  let tries = 0
  const open = once(async () => {
    if (++tries === 1) throw new Error('not yet')
    return tries
  })
  const [first, same] = [open(), open()]
  expect(first).toBe(same)
  await expect(first).rejects.toThrow('not yet')
  expect(await open()).toBe(2)
  expect(await open()).toBe(2)
})
