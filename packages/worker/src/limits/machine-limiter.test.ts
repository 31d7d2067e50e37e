// @module-tag slow
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type MachineLimiter, type MachineLimiterOptions, openMachineLimiter } from './machine-limiter.ts'

const PROCESS = join(import.meta.dirname, '../../../../test/support/limited-process.ts')
const LIMIT = 6

let folder: string
let server: Server
let [active, peak, answered] = [0, 0, 0]
const children: ChildProcess[] = []
const limiters: MachineLimiter[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-limit-'))
  ;[active, peak, answered] = [0, 0, 0]
  server = createServer((_, response) => {
    peak = Math.max(peak, ++active)
    let counted = true
    const end = () => {
      if (counted) active--
      counted = false
    }
    response.once('close', end)
    setTimeout(() => {
      end()
      answered++
      response.end('x')
    }, 30)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  for (const limiter of limiters.splice(0)) await limiter.close()
  server.closeAllConnections()
  server.close()
  await rm(folder, { recursive: true })
})

async function begin(requests: number, options: Partial<MachineLimiterOptions> = {}) {
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const settings = { name: 'p', maxConcurrent: LIMIT, perSecond: 10_000, folder, url, requests, ...options }
  const child = spawn(process.execPath, [PROCESS, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  await once(child.stdout!, 'data')
  return { child, ended }
}
const openHere = async (options: Partial<MachineLimiterOptions> = {}) => {
  const limiter = await openMachineLimiter({ name: 'p', maxConcurrent: LIMIT, perSecond: 10_000, folder, ...options })
  limiters.push(limiter)
  return limiter
}

/** Puts a folder where the socket would be. */
const blockSocket = async () => {
  const place = join(folder, 'elsewhere')
  const limiter = await openHere({ folder: place })
  const [name] = (await readdir(place)).filter((each) => each.endsWith('.sock'))
  await limiter.close()
  await rm(join(folder, name!), { force: true })
  await mkdir(join(folder, name!))
}

describe('the limit of a machine', () => {
  test('holds over processes, and keeps it full', async () => {
    const all = await Promise.all([begin(60), begin(60), begin(60)])
    expect(await Promise.all(all.map(({ ended }) => ended))).toEqual([0, 0, 0])
    expect(answered).toBe(180)
    expect(peak).toBe(LIMIT)
  }, 60_000)

  test('holds while the process that keeps it is killed, and the others continue', async () => {
    const keeper = await begin(400)
    const others = await Promise.all([begin(80), begin(80)])
    await vi.waitFor(() => expect(answered).toBeGreaterThan(30), { timeout: 20_000 })
    keeper.child.kill('SIGKILL')
    expect(await Promise.all(others.map(({ ended }) => ended))).toEqual([0, 0])
    expect(peak).toBeLessThanOrEqual(LIMIT)
    expect(answered).toBeGreaterThanOrEqual(160)
  }, 60_000)

  test('is given back by a process that is killed', async () => {
    const here = await openHere()
    const other = await begin(1, { name: 'p' })
    await other.ended
    const greedy = await begin(10_000)
    await vi.waitFor(() => expect(peak).toBe(LIMIT), { timeout: 20_000 })
    greedy.child.kill('SIGKILL')
    const releases = await Promise.all(Array.from({ length: LIMIT }, () => here.acquire()))
    for (const release of releases) release()
  }, 60_000)

  test('is of a name, and no process has more than it asked for', async () => {
    const [here, less, other] = [await openHere(), await openHere({ maxConcurrent: 2 }), await openHere({ name: 'q' })]
    const got: string[] = []
    const take = (limiter: MachineLimiter, name: string, n: number) => {
      for (let i = 0; i < n; i++) void limiter.acquire().then(() => got.push(name))
    }
    take(less, 'less', 5)
    await vi.waitFor(() => expect(got).toHaveLength(2))
    take(here, 'here', 10)
    take(other, 'other', 10)
    await vi.waitFor(() => expect(got).toHaveLength(LIMIT * 2))
    await sleep(100)
    expect(got.filter((name) => name === 'less')).toHaveLength(2)
    expect(got.filter((name) => name === 'here')).toHaveLength(LIMIT - 2)
    expect(got.filter((name) => name === 'other')).toHaveLength(LIMIT)
  })

  test('lets one that gave up go, and a refusal slows all down', async () => {
    const [here, there] = [await openHere(), await openHere()]
    const releases = await Promise.all(Array.from({ length: LIMIT }, () => here.acquire()))
    const stop = new AbortController()
    const waiting = there.acquire(stop.signal)
    await sleep(50)
    stop.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    there.refused(400)
    await sleep(50)
    for (const release of releases) release()
    const from = performance.now()
    ;(await here.acquire())()
    expect(performance.now() - from).toBeGreaterThan(200)
  })

  test('is kept in a folder that only its user can enter; elsewhere a process limits itself', async () => {
    await chmod(folder, 0o755)
    await openHere()
    expect((await readdir(folder)).join()).toMatch(/^limit-[0-9a-f]{16}\.sock$/)
    const alone = await openHere({ folder: join(folder, 'x'.repeat(120)) })
    ;(await alone.acquire())()
  })

  test('is that of the process where no socket can be made', async () => {
    await blockSocket()
    const here = await openHere()
    const releases = await Promise.all(Array.from({ length: LIMIT }, () => here.acquire()))
    const stop = new AbortController()
    const given = here.acquire(stop.signal)
    stop.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
    let got = false
    const further = here.acquire().then((release) => {
      got = true
      return release
    })
    await sleep(100)
    expect(got).toBe(false)
    releases.shift()!()
    releases.push(await further)
    for (const release of releases) release()
  })

  test('becomes that of the process where no socket can be made once the keeper has left, and counts what is held', async () => {
    const keeper = await openHere()
    const here = await openHere()
    const releases = await Promise.all(Array.from({ length: LIMIT - 1 }, () => here.acquire()))
    // Connections that are there stay; new ones find no socket.
    await blockSocket()
    await keeper.close()
    releases.push(await here.acquire())
    let got = false
    const further = here.acquire().then((release) => {
      got = true
      return release
    })
    await sleep(100)
    expect(got).toBe(false)
    releases[0]!()
    ;(await further)()
    for (const release of releases) release()
  }, 30_000)

  test('outlasts an election that was killed in the middle and whose process number is in use again', async () => {
    await blockSocket()
    const [name] = (await readdir(folder)).filter((each) => each.endsWith('.sock'))
    await rm(join(folder, name!), { recursive: true })
    await writeFile(join(folder, `${name}.election`), String(process.pid))
    const here = await openHere()
    ;(await here.acquire())()
    expect((await readdir(folder)).filter((each) => each.endsWith('.sock'))).toEqual([name])
  }, 30_000)
})
