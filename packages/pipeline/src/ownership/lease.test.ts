// @module-tag slow
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Storage } from '@skyscript/core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type S3Server, startS3 } from '../../../../test/support/s3.ts'
import { type StrictS3, startStrictS3 } from '../../../../test/support/strict-s3.ts'
import { openFolder } from '../../../worker/src/storages/folder.ts'
import { openS3 } from '../../../worker/src/storages/s3.ts'
import { guardedStorage, type Lease, type LeaseClaim, takeLease } from './lease.ts'

const never = new AbortController().signal
const claim = (settings: Record<string, string> = { seed: '1' }, more: Partial<LeaseClaim> = {}): LeaseClaim => ({
  command: 'build',
  settings,
  ...more,
})

let path: string
let storage: Storage
let said: string[] = []
const leases: Lease[] = []
beforeEach(async () => {
  path = await mkdtemp(join(tmpdir(), 'skyscript-lease-'))
  storage = await openFolder(path)
  said = []
})
afterEach(async () => {
  for (const lease of leases.splice(0)) await lease.release()
  await rm(path, { recursive: true })
})

const take = async (wanted: LeaseClaim, options = {}, from = storage) => {
  const lease = await takeLease(from, wanted, {
    onWait: (text) => said.push(text),
    signal: never,
    staleMs: 400,
    renewMs: 100,
    ...options,
  })
  leases.push(lease)
  return lease
}
const keys = async () => (await Array.fromAsync(storage.list('work/lease/'))).map(({ key }) => key)
const lastRecord = async () => JSON.parse(Buffer.from((await storage.get((await keys()).at(-1)!))!).toString())
/** The record as an owner on another machine would have left it. */
const moveOwner = async (change = {}) => {
  const record = await lastRecord()
  await storage.put(
    (await keys()).at(-1)!,
    JSON.stringify({ ...record, owner: { ...record.owner, place: 'far' }, ...change }),
  )
}

describe('an output', () => {
  test('is refused to other settings with a sentence that names the owner and what differs', async () => {
    await take(claim({ seed: '1', 'imagery.year': 'a' }))
    const error = await take(claim({ seed: '2', 'imagery.year': 'a' })).catch((reason) => reason)
    expect(error).toMatchObject({ name: 'InputError', code: 'output-in-use' })
    expect(error.message).toMatch(
      new RegExp(
        `^skyscript build \\(process ${process.pid} on \\S+\\) works on ${path} with other settings \\(seed\\); `,
      ),
    )
    for (const command of ['cut', 'export'] as const)
      await expect(take(claim({}, { command }))).rejects.toMatchObject({ code: 'output-in-use' })
  })

  test('is waited for by the same settings, and taken when it is free', async () => {
    const first = await take(claim())
    let taken = false
    const second = take(claim()).then(() => {
      taken = true
    })
    await sleep(300)
    expect(taken).toBe(false)
    expect(said).toEqual([expect.stringMatching(/^skyscript build \(process \d+ on .*waiting for it to end\.$/)])
    await first.release()
    await second
    expect(await keys()).toEqual(['work/lease/00000002.json'])
  })

  test('is joined by a plan of the same settings', async () => {
    await take(claim())
    const plan = await take(claim({ seed: '1' }, { command: 'plan' }))
    expect(await plan.allow('any')).toBe(false)
    await expect(take(claim({ seed: '2' }, { command: 'plan' }))).rejects.toMatchObject({ code: 'output-in-use' })
  })

  test('of an owner elsewhere is taken once it was not renewed for long, and not while it is', async () => {
    const owner = await take(claim())
    // Renewed by its owner, who puts its own record again.
    await moveOwner()
    const beats = setInterval(() => void moveOwner({ beat: Math.random() }).catch(() => {}), 50)
    await expect(take(claim({ seed: '2' }))).rejects.toMatchObject({ code: 'output-in-use' })
    clearInterval(beats)
    await owner.release()
    await moveOwner({ released: false, owner: { host: 'far', pid: 1, place: 'far', start: '' } })
    const from = performance.now()
    await take(claim({ seed: '2' }))
    expect(performance.now() - from).toBeGreaterThan(400)
    expect(said.join()).toMatch(/waiting up to 1 s to see whether it is still there/)
  })

  test('that was taken over is lost to its old owner, who is told', async () => {
    const slow = await take(claim())
    await moveOwner({ owner: { host: 'far', pid: 1, place: 'far', start: '' } })
    // An owner that is held up renews nothing.
    const [key] = await keys()
    await storage.putIfAbsent(
      key!.replace('1.json', '2.json'),
      JSON.stringify({ ...(await lastRecord()), token: 'new' }),
    )
    await expect.poll(() => slow.signal.aborted).toBe(true)
    expect(slow.signal.reason).toMatchObject({ code: 'output-taken' })
    await slow.release()
    expect((await lastRecord()).token).toBe('new')
    await expect(slow.allow('x')).rejects.toMatchObject({ code: 'output-taken' })
  })

  test('belongs to the command that takes it after work/ was removed, and the old owner is told', async () => {
    const old = await take(claim({ seed: '1' }))
    await old.allow('old')
    await rm(join(path, 'work'), { recursive: true, maxRetries: 5 })
    // The next renewal of the old owner is still to come.
    const next = await take(claim({ seed: '2' }))
    await next.allow('next')
    await expect.poll(() => old.signal.aborted).toBe(true)
    expect(old.signal.reason).toMatchObject({ code: 'output-taken' })
    await sleep(300)
    expect(next.signal.aborted).toBe(false)
    expect(await lastRecord()).toMatchObject({ run: 'next', settings: { seed: '2' } })
  })

  test('stays with its owner where work/ was removed and nobody else wants it', async () => {
    await (await take(claim())).release()
    const owner = await take(claim())
    await owner.allow('run')
    const { token } = await lastRecord()
    await rm(join(path, 'work'), { recursive: true, maxRetries: 5 })
    await expect.poll(keys).toHaveLength(1)
    expect(await lastRecord()).toMatchObject({ token, run: 'run' })
    await sleep(300)
    expect(owner.signal.aborted).toBe(false)
    await expect(take(claim({ seed: '2' }))).rejects.toMatchObject({ code: 'output-in-use' })
  })

  test('is taken by one of a renewal and a new command that both find work/ removed', async () => {
    let hasLooked: (() => void) | undefined
    const looked = new Promise<void>((resolve) => {
      hasLooked = resolve
    })
    let goOn: (() => void) | undefined
    const paused = new Promise<void>((resolve) => {
      goOn = resolve
    })
    let isSlow = false
    const slow: Storage = {
      ...storage,
      async *list(prefix) {
        const found = await Array.fromAsync(storage.list(prefix))
        if (isSlow && found.length === 0) {
          hasLooked?.()
          await paused
        }
        yield* found
      },
    }
    await (await take(claim())).release()
    const old = await take(claim(), {}, slow)
    isSlow = true
    await rm(join(path, 'work'), { recursive: true, maxRetries: 5 })
    await looked
    const next = await take(claim({ seed: '2' }))
    goOn?.()
    await expect.poll(() => old.signal.aborted).toBe(true)
    expect(await keys()).toEqual(['work/lease/00000001.json'])
    expect(next.signal.aborted).toBe(false)
  })

  test('of a process that is gone is taken at once, also where its number belongs to another process now', async () => {
    for (const owner of [{ pid: 2 ** 22 + 1 }, { pid: process.pid, start: '1' }]) {
      const lease = await take(claim())
      const record = await lastRecord()
      await lease.release()
      leases.pop()
      await storage.put((await keys()).at(-1)!, JSON.stringify({ ...record, owner: { ...record.owner, ...owner } }))
      await (await take(claim({ seed: '2' }), { staleMs: 60_000 })).release()
    }
    expect(said).toEqual([])
  })

  test('waits no longer than its signal', async () => {
    await take(claim())
    const stop = new AbortController()
    const waiting = take(claim(), { signal: stop.signal })
    await sleep(50)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
  })
})

describe('jobs that come out of the queue late', () => {
  test('write for the run that owns the output, and for no other', async () => {
    const [old, next] = [guardedStorage(storage, 'old'), guardedStorage(storage, 'next')]
    await old.put('images2/x.jpg', 'without an owner')
    const first = await take(claim({ seed: '1' }, { remote: true }))
    await first.allow('old')
    await old.put('images2/x.jpg', 'old')
    await first.release()
    await old.put('images2/x.jpg', 'old, after its build was stopped')
    const from = performance.now()
    const second = await take(claim({ seed: '2' }))
    // Until what a worker was writing is there.
    expect(performance.now() - from).toBeGreaterThan(2_000)
    await expect(old.put('images2/x.jpg', 'old')).rejects.toMatchObject({ code: 'superseded', retry: false })
    await expect(old.delete('images2/x.jpg')).rejects.toMatchObject({ code: 'superseded' })
    await second.allow('next')
    await next.put('images2/x.jpg', 'next')
    expect(Buffer.from((await old.get('images2/x.jpg'))!).toString()).toBe('next')
  })

  test('of the same settings and another map are waited out before the list is made again', async () => {
    const first = await take(claim({ seed: '1' }, { remote: true }))
    expect(await first.allow('old')).toBe(false)
    await first.release()
    const second = await take(claim({ seed: '1' }, { remote: true }))
    expect(await second.allow('old')).toBe(false)
    expect(await second.allow('next')).toBe(true)
    expect(await second.allow('later')).toBe(false)
  })
})

describe('of many that want an output at once one has it at a time,', () => {
  let s3: S3Server
  let strict: StrictS3
  beforeAll(async () => {
    ;[s3, strict] = await Promise.all([startS3(), startStrictS3({ within: 'maps/' })])
  })
  afterAll(async () => {
    await Promise.all([s3.stop(), strict.stop()])
  })

  test.each<[string, () => Promise<Storage>]>([
    ['in a folder', () => openFolder(path)],
    ['in a bucket that ignores conditions', () => openS3(`${s3.url}/maps`, s3.env)],
    ['in a bucket that knows them', () => openS3('s3://bucket/maps', strict.env)],
  ])(
    '%s',
    async (_, open) => {
      let [owners, most] = [0, 0]
      await Promise.all(
        Array.from({ length: 5 }, async () => {
          const lease = await take(claim(), { staleMs: 60_000 }, await open())
          owners++
          most = Math.max(most, owners)
          await sleep(20)
          owners--
          await lease.release()
        }),
      )
      expect(most).toBe(1)
    },
    60_000,
  )
})
