import { writeFileSync } from 'node:fs'
import { chmod, lstat, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { type Duplex, duplexPair } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fingerprint, isRunning, readLines } from '@skyscript/core'
import { createLimiter, type Limiter } from '@skyscript/gee-fetch'

const RETRY_MS = 50
/** An election takes milliseconds; one that old was killed in the middle. */
const ELECTION_MS = 5_000
/** A process that has neither found a keeper nor become one for this long limits itself. */
const GIVE_UP_MS = 3 * ELECTION_MS
/** It does so earlier where making the socket failed this often. */
const FAILURES = 10
/** After a keeper has gone, the others say what they hold before anything new is granted. */
const RESUME_MS = 1_000
/** The shortest limit of the systems on a socket's path. */
const LONGEST_PATH = 100

/** What a process says to the keeper, one JSON a line. */
type Message =
  | { readonly type: 'hello'; readonly most: number; readonly holds: readonly number[] }
  | { readonly type: 'acquire'; readonly id: number }
  | { readonly type: 'release'; readonly id: number }
  | { readonly type: 'refused'; readonly ms: number | null }
  | { readonly type: 'restricted'; readonly is: boolean }

/** What a process and the keeper write to: a socket, or within one process a pipe. */
type Channel = Duplex & Partial<Pick<Socket, 'ref' | 'unref'>>

export interface MachineLimiterOptions {
  /** What is limited, such as an Earth Engine project. */
  readonly name: string
  readonly maxConcurrent: number
  /** Starts per second. */
  readonly perSecond: number
  /** Where the socket is; a folder of the user's own by default. */
  readonly folder?: string
}

export interface MachineLimiter extends Limiter {
  close(): Promise<void>
}

/**
 * One limit for all processes of this user on this machine: the first to come keeps it, the others ask it over a local
 * socket. A process that ends, however it ends, gives its places back with its connection; where it was the keeper,
 * another takes over and is told what the others hold. Each process has at most its own `maxConcurrent`, all together at
 * most that of the keeper. Where there can be no socket, a process limits itself.
 */
export async function openMachineLimiter(options: MachineLimiterOptions): Promise<MachineLimiter> {
  const { maxConcurrent, perSecond } = options
  const path = await socketPath(options).catch(() => null)
  if (path === null) return Object.assign(createLimiter({ maxConcurrent, perSecond }), { close: async () => {} })

  const waiting = new Map<number, (release: () => void) => void>()
  const held = new Set<number>()
  let ids = 0
  let closed = false
  let server: Server | undefined
  let socket: Channel | undefined
  let joining: Promise<void> | undefined

  const send = (message: Message) => {
    if (socket?.writable) socket.write(`${JSON.stringify(message)}\n`)
    else void join()
  }
  /** The socket keeps the process alive only while something is waited for. */
  const keepAlive = () => (waiting.size > 0 ? socket?.ref?.() : socket?.unref?.())
  const release = (id: number) => () => {
    if (held.delete(id)) send({ type: 'release', id })
  }
  const granted = (id: number) => {
    const asked = waiting.get(id)
    waiting.delete(id)
    keepAlive()
    if (!asked) send({ type: 'release', id })
    else {
      held.add(id)
      asked(release(id))
    }
  }

  const speakWith = (keeper: Channel) => {
    socket = keeper
    keeper.on('close', () => {
      if (socket === keeper) socket = undefined
      if (!closed && (waiting.size > 0 || held.size > 0)) void join()
    })
    void eachLine(keeper, (line) => granted(Number(line)))
    keeper.write(`${JSON.stringify({ type: 'hello', most: maxConcurrent, holds: [...held] } satisfies Message)}\n`)
    for (const id of waiting.keys()) keeper.write(`${JSON.stringify({ type: 'acquire', id } satisfies Message)}\n`)
    keepAlive()
  }
  const joinOnce = async () => {
    const from = performance.now()
    let failures = 0
    for (let tries = 1; !closed; tries++) {
      const found = await connected(path)
      if (found) return speakWith(found)
      try {
        server = (await becomeKeeper(path, options)) ?? server
      } catch {
        failures++
      }
      if (failures === FAILURES || performance.now() - from > GIVE_UP_MS) return speakWith(keeperWithin(options))
      if (tries > 1) await sleep(RETRY_MS * (0.5 + Math.random()))
    }
  }
  const join = () => {
    joining ??= joinOnce().finally(() => {
      joining = undefined
    })
    return joining
  }

  await join()
  return {
    async acquire(signal) {
      signal?.throwIfAborted()
      const id = ids++
      const { promise, resolve, reject } = Promise.withResolvers<() => void>()
      const abort = () => {
        if (waiting.delete(id)) send({ type: 'release', id })
        keepAlive()
        reject(signal?.reason)
      }
      waiting.set(id, resolve)
      signal?.addEventListener('abort', abort, { once: true })
      keepAlive()
      // A process that joins says what it waits for.
      if (socket?.writable) send({ type: 'acquire', id })
      else void join()
      try {
        return await promise
      } finally {
        signal?.removeEventListener('abort', abort)
      }
    },
    refused: (ms) => send({ type: 'refused', ms }),
    restricted: (is) => send({ type: 'restricted', is }),
    async close() {
      closed = true
      socket?.destroy()
      // Lets the server see that this connection is gone: then the others are left.
      await sleep(20)
      server?.close()
    },
  }
}

/** A keeper for this process only. */
function keeperWithin({ maxConcurrent, perSecond }: MachineLimiterOptions): Channel {
  const [ours, keepers] = duplexPair()
  serve(keepers, createLimiter({ maxConcurrent, perSecond }), 0)
  return ours
}

/**
 * Starts to keep the limit, unless another process does or is about to; undefined then.
 *
 * @throws the system's error where no socket can be made
 */
async function becomeKeeper(path: string, options: MachineLimiterOptions): Promise<Server | undefined> {
  const isPipe = process.platform === 'win32'
  const election = `${path}.election`
  if (!isPipe && !(await beginElection(election))) return undefined
  try {
    const there = await connected(path)
    if (there) {
      there.destroy()
      return undefined
    }
    // The socket of a keeper that was killed stays behind; one that left in order says so.
    const traces = isPipe ? [] : await Promise.allSettled([rm(path), rm(leftMark(path))])
    const isFirst = !isPipe && traces.every(({ status }) => status === 'rejected')
    return await listen(path, options, isFirst ? 0 : RESUME_MS)
  } finally {
    if (!isPipe) await rm(election, { force: true })
  }
}

/** A file that says that a keeper left while others were there. */
const leftMark = (path: string) => `${path}.left`

async function beginElection(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    const pid = Number(await readFile(path, 'utf8').catch(() => ''))
    const age = await stat(path).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    )
    if ((pid > 0 && !isRunning(pid)) || age > ELECTION_MS) await rm(path, { force: true })
    return false
  }
}

function listen(path: string, { maxConcurrent, perSecond }: MachineLimiterOptions, resumeMs: number): Promise<Server> {
  const limiter = createLimiter({ maxConcurrent, perSecond })
  const from = performance.now() + resumeMs
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.unref())
    socket.on('close', () => sockets.delete(socket))
    serve(socket, limiter, from)
  })
  const close = server.close.bind(server)
  server.close = (done) => {
    if (sockets.size > 0 && process.platform !== 'win32') writeFileSync(leftMark(path), '')
    for (const socket of sockets) socket.destroy()
    return close(done)
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(path, () => resolve(server.unref()))
  })
}

/** Serves one process: it holds what was granted until it says so, or is gone. */
function serve(socket: Channel, limiter: Limiter, from: number): void {
  const gone = new AbortController()
  const own = new Map<number, { release?: () => void; readonly stop: AbortController }>()
  const queue: number[] = []
  let most = 1
  let asked = 0

  const next = () => {
    while (asked < most && queue.length > 0) void ask(queue.shift()!, true)
  }
  const ask = async (id: number, isNew: boolean) => {
    const stop = new AbortController()
    const entry: { release?: () => void; readonly stop: AbortController } = { stop }
    own.set(id, entry)
    asked++
    try {
      if (isNew && performance.now() < from) await sleep(from - performance.now(), undefined, { ref: false })
      const release = await limiter.acquire(AbortSignal.any([gone.signal, stop.signal]))
      if (gone.signal.aborted || stop.signal.aborted) return release()
      entry.release = release
      if (isNew) socket.write(`${id}\n`)
    } catch {
      // Nobody waits for it any more.
    }
  }
  const end = (id: number) => {
    const at = queue.indexOf(id)
    if (at >= 0) queue.splice(at, 1)
    const entry = own.get(id)
    if (!entry) return
    own.delete(id)
    entry.stop.abort()
    entry.release?.()
    asked--
    next()
  }

  socket.on('error', () => {})
  socket.on('close', () => {
    gone.abort()
    for (const { release } of own.values()) release?.()
    own.clear()
  })
  void eachLine(socket, (line) => {
    const message = JSON.parse(line) as Message
    if (message.type === 'hello') {
      most = message.most
      for (const id of message.holds) void ask(id, false)
    } else if (message.type === 'acquire') {
      queue.push(message.id)
      next()
    } else if (message.type === 'release') end(message.id)
    else if (message.type === 'refused') limiter.refused(message.ms)
    else limiter.restricted(message.is)
  })
}

async function eachLine(socket: Channel, take: (line: string) => void): Promise<void> {
  try {
    for await (const line of readLines(socket)) take(line)
  } catch {
    // The connection broke: its close is told apart.
    socket.destroy()
  }
}

/** A connection, or null where nobody listens. */
function connected(path: string): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => {
      socket.removeAllListeners('error').on('error', () => {})
      resolve(socket)
    })
    socket.once('error', () => resolve(null))
  })
}

/** A path that only this user can reach, one for each name. */
async function socketPath({ name, folder }: MachineLimiterOptions): Promise<string> {
  const file = `limit-${fingerprint(name).slice(0, 16)}`
  if (process.platform === 'win32') return `\\\\.\\pipe\\skyscript-${userInfo().username}-${file}`
  const { XDG_RUNTIME_DIR: runtime } = process.env
  const own = runtime ? join(runtime, 'skyscript') : join(tmpdir(), `skyscript-${userInfo().uid}`)
  const place = folder ?? own
  await mkdir(place, { recursive: true, mode: 0o700 })
  const found = await lstat(place)
  if (!found.isDirectory() || found.uid !== userInfo().uid) throw new Error(`${place} belongs to someone else.`)
  if ((found.mode & 0o077) !== 0) await chmod(place, 0o700)
  const path = join(place, `${file}.sock`)
  if (Buffer.byteLength(path) > LONGEST_PATH) throw new Error(`${path} is too long for a socket.`)
  return path
}
