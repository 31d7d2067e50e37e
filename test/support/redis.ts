/** A private redis-server on a free loopback port, for tests: from PATH, from Debian's package, or in Docker. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'

const IMAGE = 'redis:7-alpine'
const START_MS = 20_000
/** What a package's scripts ask whether they may start a service: 101 is "no". */
const POLICY = '/usr/sbin/policy-rc.d'

export interface RedisOptions {
  readonly password?: string
  /** Keeps an append-only file, so that a restart finds what was there. */
  readonly appendonly?: boolean
  readonly maxmemoryPolicy?: string
  /** Such as `2mb`. */
  readonly maxmemory?: string
}

export interface RedisServer {
  /** With the password, if there is one. */
  readonly url: string
  readonly port: number
  /** Ends the server and removes its files. */
  stop(): Promise<void>
  /** SIGKILL; the files stay for `restart`. */
  kill(): Promise<void>
  /** Starts it again on the same port with the same files. */
  restart(): Promise<void>
}

/**
 * Sees to it that `startRedis` can work. Called once before the tests; installs a package where it may.
 *
 * @throws Error that says how to get a Redis
 */
export async function ensureRedis(): Promise<void> {
  if (hasServer() || installFromDebian() || hasDocker()) return
  throw new Error(
    'The tests need a Redis server: install one so that `redis-server` is on PATH (Debian: apt-get install redis-server; macOS: brew install redis), or start Docker, or run the tests as root on Debian.',
  )
}

export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  await ensureRedis()
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-redis-'))
  const name = `skyscript-redis-${randomBytes(4).toString('hex')}`
  const inDocker = !hasServer()
  const settings = [
    `port ${port}`,
    `bind ${inDocker ? '0.0.0.0' : '127.0.0.1'}`,
    `dir ${inDocker ? '/data' : folder}`,
    'save ""',
    `appendonly ${options.appendonly ? 'yes' : 'no'}`,
    'appendfsync everysec',
    `maxmemory-policy ${options.maxmemoryPolicy ?? 'noeviction'}`,
    ...(options.maxmemory ? [`maxmemory ${options.maxmemory}`] : []),
    ...(options.password ? [`requirepass "${options.password}"`] : ['protected-mode no']),
  ]
  await writeFile(join(folder, 'redis.conf'), `${settings.join('\n')}\n`)
  const command = inDocker
    ? [
        'docker',
        'run',
        '--rm',
        '--name',
        name,
        '-p',
        `127.0.0.1:${port}:${port}`,
        '-v',
        `${folder}:/data`,
        IMAGE,
        'redis-server',
        '/data/redis.conf',
      ]
    : ['redis-server', join(folder, 'redis.conf')]
  const url = `redis://${options.password ? `:${encodeURIComponent(options.password)}@` : ''}127.0.0.1:${port}`

  let child: ChildProcess | undefined
  const start = async () => {
    child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    for (const stream of [child.stdout!, child.stderr!]) {
      stream.on('data', (text) => {
        output = (output + text).slice(-4000)
      })
    }
    await untilReady(url, child, () => output)
  }
  const end = async (signal: NodeJS.Signals) => {
    const running = child
    child = undefined
    if (!running || running.exitCode !== null || running.signalCode !== null) return
    const exited = once(running, 'exit')
    if (inDocker) spawnSync('docker', ['kill', '-s', signal, name], { stdio: 'ignore' })
    else running.kill(signal)
    await exited
  }
  // A test that is ended from outside leaves no server behind.
  const last = () => {
    child?.kill('SIGKILL')
  }
  process.once('exit', last)
  await start()

  return {
    url,
    port,
    async stop() {
      process.off('exit', last)
      await end('SIGKILL')
      // Files that the container wrote belong to its own user.
      await rm(folder, { recursive: true, force: true }).catch(() => {})
    },
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM')
      await start()
    },
  }
}

function hasServer(): boolean {
  return spawnSync('redis-server', ['--version'], { stdio: 'ignore' }).status === 0
}

function hasDocker(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0
}

/** Installs Debian's package as root, without starting the system's own service. */
function installFromDebian(): boolean {
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false
  process.stderr.write('Installing redis-server for the tests (apt-get) ...\n')
  const hadPolicy = existsSync(POLICY)
  if (!hadPolicy) spawnSync('sh', ['-c', `printf '#!/bin/sh\\nexit 101\\n' > ${POLICY} && chmod 755 ${POLICY}`])
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: string[]) => spawnSync('apt-get', ['-qq', ...args], { env, stdio: ['ignore', 'ignore', 2] })
  try {
    apt('update')
    apt('install', '-y', '--no-install-recommends', 'redis-server')
  } finally {
    if (!hadPolicy) spawnSync('rm', ['-f', POLICY])
  }
  return hasServer()
}

async function untilReady(url: string, child: ChildProcess, output: () => string): Promise<void> {
  const redis = new Redis(url, { retryStrategy: () => 50, maxRetriesPerRequest: null, connectTimeout: 1000 })
  redis.on('error', () => {})
  try {
    const ended = once(child, 'exit').then(() => {
      throw new Error(`redis-server ended at once:\n${output()}`)
    })
    const late = sleep(START_MS, undefined, { ref: false }).then(() => {
      throw new Error(`redis-server did not answer within ${START_MS / 1000} s:\n${output()}`)
    })
    ended.catch(() => {})
    late.catch(() => {})
    await Promise.race([redis.ping(), ended, late])
  } finally {
    redis.disconnect()
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
