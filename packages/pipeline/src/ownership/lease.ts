import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { InputError, isRunning, PLACE, ServiceError, type Storage, startOf } from '@skyscript/core'

/**
 * One command at a time owns an output. Ownership is a numbered record below `work/lease/`: the highest number counts, a
 * new one is taken with a put that fails where the key exists, and only its owner writes to it. The owner renews it; a
 * record whose process is gone, or that was not renewed for STALE_MS, may be followed by the next number. Numbers
 * fall only where the user removes work/, so a slow process can't take back what another took meanwhile.
 */
const FOLDER = 'work/lease/'
const keyOf = (generation: number) => `${FOLDER}${String(generation).padStart(8, '0')}.json`

export const LEASE_FOLDER = FOLDER

/** Keys that commands write; another dataset may have its own prefix below ours. */
const OF_DATASETS = /^(?:[^/]+|(?:work|state|images\d|meta\d|report|benchmarks|export)\/.*)$/

const RENEW_MS = 10_000
/** Measured by the waiting process's clock, since clocks of machines differ. */
const STALE_MS = 60_000
const POLL_MS = 1_000
/** A worker looks at the record again after this long. */
const GUARD_MS = 2_000
/** Time in which a worker has seen a new record, and what it was writing is there. */
const SETTLE_MS = 2 * GUARD_MS

export type LeaseCommand = 'build' | 'plan' | 'cut' | 'benchmark' | 'export' | 'evaluate'

export interface LeaseClaim {
  readonly command: LeaseCommand
  /** A fingerprint of each setting by its name. */
  readonly settings: Readonly<Record<string, string>>
  /** Whether workers elsewhere write to the output. */
  readonly remote?: boolean
}

interface LeaseRecord extends LeaseClaim {
  readonly token: string
  /** Counts renewals. */
  readonly beat: number
  readonly released: boolean
  /** The run whose jobs may write; null: none's. */
  readonly run: string | null
  /** Where the owner runs; null once it is released. */
  readonly owner: { readonly host: string; readonly pid: number; readonly place: string; readonly start: string } | null
}

/** An output that this process owns. */
export interface Lease {
  /** Aborted where another process took over: this one was paused for a minute, or its record was removed with work/. */
  readonly signal: AbortSignal
  /**
   * Jobs of this run may write from now on, and those of others no more.
   *
   * @returns whether workers may have written for another run until now, so that what was listed before is out of date
   */
  allow(run: string): Promise<boolean>
  release(): Promise<void>
}

export interface LeaseOptions {
  /** Told in one sentence why the command waits. */
  readonly onWait: (text: string) => void
  readonly signal: AbortSignal
  readonly staleMs?: number
  readonly renewMs?: number
}

/**
 * Takes an output for a command. While a command with the same settings owns it this waits; a plan joins a build of its
 * settings.
 *
 * @throws InputError `output-in-use` where another command, or one with other settings, owns it; the signal's reason
 */
export async function takeLease(storage: Storage, claim: LeaseClaim, options: LeaseOptions): Promise<Lease> {
  const { onWait, signal, staleMs = STALE_MS, renewMs = RENEW_MS } = options
  const token = randomUUID()
  let watched = { token: '', beat: -1, since: 0, alive: false }
  let told = ''
  const tell = (text: string) => {
    if (text !== told) onWait(text)
    told = text
  }
  for (;;) {
    signal.throwIfAborted()
    const last = await lastOf(storage)
    if (last !== null && !last.record.released) {
      const { record } = last
      const here = await lifeHere(record)
      const sameBeat = record.token === watched.token && record.beat === watched.beat
      if (!sameBeat) {
        const alive = record.token === watched.token
        watched = { token: record.token, beat: record.beat, since: performance.now(), alive }
      }
      const dead = here === 'dead' || (here === 'unknown' && performance.now() - watched.since > staleMs)
      if (!dead) {
        const isAlive = here === 'alive' || watched.alive
        if (isAlive && joins(claim, record)) return JOINED
        if (isAlive && !waits(claim, record)) throw inUse(storage, claim, record)
        tell(
          isAlive
            ? `${ownerOf(record)} works on ${storage.url}; waiting for it to end.`
            : `${ownerOf(record)} has ${storage.url}; waiting up to ${Math.ceil(staleMs / 1000)} s to see whether it is still there.`,
        )
        await sleep(POLL_MS, undefined, { signal }).catch(() => signal.throwIfAborted())
        continue
      }
    }
    const generation = (last?.generation ?? 0) + 1
    const before = last?.record ?? null
    const run = before !== null && isSame(claim, before) ? before.run : null
    const record: LeaseRecord = {
      token,
      beat: 0,
      released: false,
      run,
      command: claim.command,
      settings: claim.settings,
      remote: claim.remote === true,
      owner: { host: hostname(), pid: process.pid, place: PLACE, start: await startOf(process.pid) },
    }
    if (!(await storage.putIfAbsent(keyOf(generation), JSON.stringify(record)))) continue
    // Where this number had been used and removed again, a higher one is there.
    if ((await lastOf(storage))?.generation !== generation) {
      await storage.delete(keyOf(generation))
      continue
    }
    const wasRemote = before?.remote === true
    if (wasRemote && before?.run !== run) await sleep(SETTLE_MS, undefined, { signal })
    for await (const { key } of storage.list(FOLDER)) if (key < keyOf(generation)) await storage.delete(key)
    await storage.abortUploads?.((key) => OF_DATASETS.test(key))
    return hold(storage, record, wasRemote && run !== null, renewMs)
  }
}

/** A command that need not own the output, since it changes nothing its owner depends on. */
const JOINED: Lease = {
  signal: new AbortController().signal,
  allow: async () => false,
  release: async () => {},
}

function hold(storage: Storage, first: LeaseRecord, mayOthersWrite: boolean, renewMs: number): Lease {
  const lost = new AbortController()
  let record = first
  let others = mayOthersWrite
  let writing: Promise<unknown> = Promise.resolve()

  /**
   * Replaces our last record by a new one; false if another process owns the output. If the user removed work/, the numbers
   * start again: records are then recognised by their token, and the first process to ask takes the first number.
   */
  const store = async (text: string): Promise<boolean> => {
    for (;;) {
      const last = await lastOf(storage)
      if (last === null) {
        if (await storage.putIfAbsent(keyOf(1), text)) return true
      } else {
        if (last.record.token !== first.token) return false
        await storage.put(keyOf(last.generation), text)
        return true
      }
    }
  }
  /** One write after another, each only while the output is still ours. */
  const write = (change: Partial<LeaseRecord>): Promise<void> => {
    const next = writing.then(async () => {
      if (lost.signal.aborted) throw lost.signal.reason
      const changed = { ...record, ...change }
      if (!(await store(JSON.stringify(changed)))) {
        lost.abort(
          new ServiceError(
            'output-taken',
            `Another command took over ${storage.url} while this one was held up; run the same command again.`,
            { retry: false },
          ),
        )
        throw lost.signal.reason
      }
      record = changed
    })
    writing = next.catch(() => {})
    return next
  }
  const renewing = setInterval(() => {
    // A storage that is away for a moment is tried again in time.
    write({ beat: record.beat + 1 }).catch(() => {})
  }, renewMs).unref()

  return {
    signal: lost.signal,
    async allow(run) {
      if (record.run === run) return false
      await write({ run })
      if (!others) return false
      others = false
      await sleep(SETTLE_MS)
      return true
    },
    async release() {
      clearInterval(renewing)
      await write({ released: true, owner: null }).catch(() => {})
    },
  }
}

/**
 * A storage for the jobs of a run that someone else coordinates: it refuses to change anything once another run owns the
 * dataset, since jobs may come out of the queue long after their build was replaced.
 */
export function guardedStorage(storage: Storage, run: string): Storage {
  let checkedAt = Number.NEGATIVE_INFINITY
  let checking: Promise<void> | undefined
  const look = async () => {
    const from = performance.now()
    const last = await lastOf(storage)
    if (last !== null && last.record.run !== run)
      throw new ServiceError('superseded', `Another build owns ${storage.url} now; this job is no part of it.`, {
        retry: false,
      })
    checkedAt = from
  }
  const check = async () => {
    if (performance.now() - checkedAt < GUARD_MS) return
    checking ??= look().finally(() => {
      checking = undefined
    })
    await checking
  }
  return {
    ...storage,
    async put(key, value) {
      await check()
      await storage.put(key, value)
    },
    async putIfAbsent(key, value) {
      await check()
      return storage.putIfAbsent(key, value)
    },
    async delete(key) {
      await check()
      await storage.delete(key)
    },
  }
}

async function lastOf(storage: Storage): Promise<{ generation: number; record: LeaseRecord } | null> {
  for (let tries = 1; ; tries++) {
    const keys = (await Array.fromAsync(storage.list(FOLDER))).map(({ key }) => key)
    const last = keys.findLast((key) => /^\d{8}\.json$/.test(key.slice(FOLDER.length)))
    if (last === undefined) return null
    const bytes = await storage.get(last)
    const record = bytes === null ? null : parse(bytes)
    if (record !== null) return { generation: Number.parseInt(last.slice(FOLDER.length), 10), record }
    // It was removed meanwhile, or is being written on a file system without hard links.
    if (tries === 20)
      throw new ServiceError('bad-lease', `${last} of ${storage.url} is damaged; remove it.`, { retry: false })
    await sleep(100)
  }
}

function parse(bytes: Uint8Array): LeaseRecord | null {
  try {
    const record = JSON.parse(Buffer.from(bytes).toString('utf8')) as LeaseRecord
    return typeof record.token === 'string' && typeof record.settings === 'object' ? record : null
  } catch {
    return null
  }
}

/** Whether the owner runs, as far as this machine can tell. */
async function lifeHere({ owner }: LeaseRecord): Promise<'alive' | 'dead' | 'unknown'> {
  if (owner === null || owner.place !== PLACE) return 'unknown'
  if (!isRunning(owner.pid)) return 'dead'
  const start = await startOf(owner.pid)
  // The system gives numbers of processes again.
  return start !== '' && owner.start !== '' && start !== owner.start ? 'dead' : 'alive'
}

function differences(a: LeaseClaim, b: LeaseClaim): string[] {
  const names = new Set([...Object.keys(a.settings), ...Object.keys(b.settings)])
  return [...names].filter((name) => a.settings[name] !== b.settings[name]).sort()
}

const isSame = (claim: LeaseClaim, owner: LeaseRecord) =>
  isBuilding(claim) === isBuilding(owner) && differences(claim, owner).length === 0
const isBuilding = ({ command }: LeaseClaim) => command === 'build' || command === 'plan'

const joins = (claim: LeaseClaim, owner: LeaseRecord) => claim.command === 'plan' && isSame(claim, owner)

/**
 * Exports wait for each other: each writes below a folder of its own, or the same files again. What `evaluate` saves is one small
 * file at its end, so it waits for all, and all for it.
 */
const waits = (claim: LeaseClaim, owner: LeaseRecord) =>
  claim.command === 'evaluate' ||
  owner.command === 'evaluate' ||
  (claim.command === 'export' && owner.command === 'export') ||
  isSame(claim, owner)

const ownerOf = ({ command, owner }: LeaseRecord) => `skyscript ${command} (process ${owner?.pid} on ${owner?.host})`

function inUse(storage: Storage, claim: LeaseClaim, record: LeaseRecord): InputError {
  const names = isBuilding(claim) && isBuilding(record) ? differences(claim, record) : []
  const shown = names.length > 4 ? `${names.slice(0, 4).join(', ')}, ...` : names.join(', ')
  return new InputError(
    'output-in-use',
    `${ownerOf(record)} works on ${storage.url}${names.length > 0 ? ` with other settings (${shown})` : ''}; wait until it has ended, stop it, or choose another output.`,
  )
}
