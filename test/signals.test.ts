// @module-tag slow
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FaultProxy, startFaultProxy } from './support/fault-proxy.ts'
import { type RedisServer, startRedis } from './support/redis.ts'
import { makeFolder, type Running, start, writeRegion } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { startSmallTown } from './support/small-map.ts'
import { MODEL, TOWN, type Town } from './support/town.ts'

let folder: Awaited<ReturnType<typeof makeFolder>>
let town: Town
let redis: RedisServer
/** Earth Engine that answers everything but requests for pixels. */
let withoutPixels: FaultProxy
const asksForPixels = Promise.withResolvers<void>()

const at = (...names: string[]) => join(folder.path, ...names)

beforeAll(async () => {
  folder = await makeFolder('signals')
  ;[town, redis] = await Promise.all([startSmallTown(folder.path), startRedis()])
  withoutPixels = await startFaultProxy(town.earthEngine.url, ({ url }) => {
    if (!url!.endsWith(':computePixels')) return 'ok'
    asksForPixels.resolve()
    return 'hang'
  })
  const built = await skyscriptHere(['build', await writeRegion(at('done.yaml'), town.region(at('done')))])
  expect(built.code, built.stderr).toBe(0)
}, 120_000)
afterAll(async () => {
  await Promise.all([withoutPixels?.stop(), town?.earthEngine.close(), redis?.stop()])
  await folder?.remove()
})

/** A server that takes connections and says no more than `greeting`. */
async function startSilent(greeting = '') {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}))
    if (greeting !== '') socket.once('data', () => socket.write(greeting))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    host,
    url: `http://${host}`,
    /** A bucket on it. */
    env: { AWS_ENDPOINT_URL_S3: `http://${host}`, AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: 'secret' },
    called: once(server, 'connection'),
    stop() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}
type Silent = Awaited<ReturnType<typeof startSilent>>

const region = (name: string, changes: Record<string, unknown> = {}) =>
  writeRegion(at(`${name}.yaml`), town.region(at(name), changes))
const earthEngineAt = (endpoint: string) => ({ imagery: { sources: ['CH'], earthEngine: { endpoint, project: 'p' } } })
const modelAt = (url: string) => ({
  filter: { scorers: [{ name: 'x', model: MODEL, server: { url, vision: 'v', text: 't' } }] },
})
const hubModel = { filter: { scorers: [{ name: 'x', model: 'owner/model' }] } }

interface Case {
  /** Starts a command that would not end by itself for long. */
  begin(silent: Silent): Promise<Running> | Running
  /** What the silent server says after all. */
  readonly greeting?: string
  /** What it says when it is in the middle; without it, the silent server is called then. */
  readonly says?: RegExp
  readonly code?: number
}

const CASES: Record<string, Case> = {
  // Half a minute, so it is the first: the others run meanwhile.
  'build, while no worker takes its jobs': {
    begin: async () => start(['build', await region('queued', { queue: redis.url })]),
    says: /No worker serves/,
  },
  'build, while Earth Engine is silent': {
    begin: async ({ url }) => start(['build', await region('silent', earthEngineAt(url))]),
  },
  'build, while an answer does not end': {
    begin: async ({ url }) => start(['build', await region('endless', earthEngineAt(url))]),
    greeting: 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{',
  },
  'build, while a model server is silent': {
    begin: async ({ url }) => start(['build', await region('model', modelAt(url))]),
  },
  'build, while a model is downloaded': {
    begin: async ({ url }) =>
      start(['build', await region('hub', hubModel)], { env: { HF_ENDPOINT: url, SKYSCRIPT_CACHE: at('cache') } }),
  },
  'build, while an extract is downloaded': {
    begin: async ({ url }) => start(['build', await region('far', { osm: { source: `${url}/x.osm.pbf` } })]),
  },
  'build, while the bucket is silent': {
    begin: async ({ env }) => start(['build', await writeRegion(at('s3.yaml'), town.region('s3://bucket/x'))], { env }),
  },
  'build, while it fetches': {
    begin: async () => {
      const running = start(['build', await region('fetching', earthEngineAt(withoutPixels.url))])
      await Promise.race([asksForPixels.promise, running.done])
      return running
    },
    says: /select/,
  },
  'plan, while Earth Engine is silent': {
    begin: async ({ url }) => start(['plan', await region('planned', earthEngineAt(url))]),
  },
  'cut, while the bucket is silent': { begin: ({ env }) => start(['cut', 's3://bucket/x'], { env }) },
  'verify, while the bucket is silent': { begin: ({ env }) => start(['verify', 's3://bucket/x'], { env }) },
  'export, while the bucket is silent': {
    begin: ({ env }) => start(['export', at('done'), '--format', 'zip', '--to', 's3://bucket/x'], { env }),
  },
  'extract, while nobody reads': {
    begin: () => {
      const running = start(['extract', TOWN, '--all-tagged'])
      running.child.stdout!.once('data', () => running.child.stdout!.pause())
      return running
    },
    says: /Feature/,
  },
  'caption, while nothing comes': {
    begin: () => {
      const running = start(['caption'], { hold: true })
      running.child.stdin!.write('{"center_tags":{"building":"yes"}}\n')
      return running
    },
    says: /title/,
  },
  'tags, while nothing comes': {
    begin: () => {
      const running = start(['tags'], { hold: true })
      running.child.stdin!.write('{"key":"building","value":"yes"}\n')
      return running
    },
    says: /building/,
  },
  'score, while a model server is silent': {
    begin: ({ url }) =>
      start(['score', '--model', MODEL, '--images', at('done', 'Small_train_unfiltered_5M.csv'), '--server', url]),
  },
  'doctor, while a service is silent': {
    begin: async ({ url }) => start(['doctor', await region('ill', earthEngineAt(url))]),
  },
  'local-earth-engine, while it answers': {
    begin: async () => {
      const server = start(['local-earth-engine', '--port', '0', '--faults', 'hang:1'])
      const url = (await server.says(/http:\/\/\S+/))[0]
      fetch(`${url}/v1/projects/p/algorithms`).catch(() => {})
      return server
    },
    says: /Ctrl-C/,
    code: 0,
  },
  'an idle worker': { begin: () => start(['worker', '--queue', redis.url]), says: /Serving/, code: 0 },
  'a worker whose Redis is silent from the start': {
    begin: ({ host }) => start(['worker', '--queue', `redis://${host}`]),
    code: 0,
  },
}

describe.concurrent('a signal ends a command within 10 s:', () => {
  test.for(Object.entries(CASES).map((each, i) => [...each, i] as const))(
    '%s',
    { timeout: 90_000 },
    // Tests that run at the same time count their checks by their own `expect`.
    async ([, { begin, greeting, says, code }, i], { expect }) => {
      const silent = await startSilent(greeting)
      const running = await begin(silent)
      try {
        await (says ? running.says(says) : Promise.race([silent.called, running.done]))
        await sleep(300)
        if (running.child.exitCode !== null) throw new Error(`It ended by itself: ${(await running.done).stderr}`)
        const from = performance.now()
        running.child.kill(i % 2 === 0 ? 'SIGTERM' : 'SIGINT')
        const ended = await running.done
        expect(performance.now() - from).toBeLessThan(10_000)
        if (code !== undefined) expect(ended.code, ended.stderr).toBe(code)
        else expect(ended.code).not.toBe(0)
      } finally {
        running.child.kill('SIGKILL')
        silent.stop()
      }
    },
  )
})

test('a signal ends a command within 10 s while a thread is in native code', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'support/stuck-command.ts')], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  await once(child.stdout, 'data')
  const from = performance.now()
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
  expect(performance.now() - from).toBeLessThan(10_000)
}, 60_000)

test('SIGTERM ends a worker at once while Redis is away and it has no job', async () => {
  const own = await startRedis()
  const worker = start(['worker', '--queue', own.url])
  try {
    await worker.says(/Serving/)
    await own.kill()
    await worker.says(/is away; waiting/)
    const from = performance.now()
    worker.child.kill('SIGTERM')
    const { code, stderr } = await worker.done
    expect(code, stderr).toBe(0)
    expect(performance.now() - from).toBeLessThan(3_000)
  } finally {
    worker.child.kill('SIGKILL')
    await own.stop()
  }
}, 60_000)
