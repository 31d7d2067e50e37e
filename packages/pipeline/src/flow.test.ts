import { setTimeout as sleep } from 'node:timers/promises'
import { fingerprint } from '@skyscript/core'
import { LOCK } from '@skyscript/dataset'
import { expect, test } from 'vitest'
import { MemoryStorage } from '../../dataset/test/support/memory-storage.ts'
import { createTerminal } from '../../worker/src/terminal/terminal.ts'
import type { RunContext } from './context.ts'
import type { Facts } from './facts.ts'
import { flow } from './flow.ts'
import { HEADS_FOLDER, readHeads, writeHeads } from './heads.ts'
import { listStorage } from './presence/listing.ts'
import { createPresence } from './presence/presence.ts'
import { putResult, resultKey } from './results.ts'
import { createEmbeddedRunner } from './runner/embedded.ts'
import type { Job } from './runner/job.ts'
import type { Head, Stage } from './stage.ts'

interface Step {
  /** What is done in a job, beside its result. */
  readonly work?: (job: Job, storage: MemoryStorage) => Promise<void>
  readonly publishes?: boolean
  readonly follow?: NonNullable<Stage['follow']>
}

/** A stage that writes down its shard. */
function stageOf(name: string, after: string | null, { work, publishes = false, follow }: Step = {}): Stage {
  return {
    ...{ name, after, unit: 'things', version: 1, concurrency: { embedded: 2, worker: 2 }, publishes },
    ...(follow && { follow }),
    decides: (shard, upstream) => [shard, upstream],
    async run(job, { storage }) {
      await work?.(job, storage as MemoryStorage)
      return job.shard
    },
    head: (result): Head => ({ kept: 1, digest: fingerprint(result), dropped: {}, failed: {} }),
  }
}

const signal = new AbortController().signal

/** Runs stages over two shards, in this process; gives the jobs in the order in which they ended. */
async function run(stages: readonly Stage[], storage = new MemoryStorage(), shards = ['a', 'b']) {
  const context = { storage } as unknown as RunContext
  const ended: string[] = []
  const runner = createEmbeddedRunner({
    concurrency: Object.fromEntries(stages.map(({ name }) => [name, 2])),
    pauseMs: 1,
    async execute(job) {
      const stage = stages.find(({ name }) => name === job.stage)!
      const result = await stage.run(job, context, signal)
      await putResult(storage, resultKey(job), stage.head(result), result)
      ended.push(`${job.stage} ${job.shard}`)
    },
  })
  const listing = await listStorage(storage)
  let said = ''
  const made = await flow(
    stages,
    shards.map((shard) => ({ shard, input: 'root', upstream: { kept: 10 } })),
    {
      ...{ storage, run: 'r', facts: {} as Facts, context, runner, signal, isEmbedded: true },
      terminal: createTerminal({ write: (text) => (said += text) }),
      heads: await readHeads(
        storage,
        [...storage.files.keys()].filter((key) => key.startsWith(HEADS_FOLDER)),
      ),
      presence: await createPresence(storage, listing, async () => true),
    },
  )
  return { made, ended, said, storage }
}

test('a shard moves on while another is still in the stage before', async () => {
  const slow = stageOf('one', null, { work: async ({ shard }) => void (await sleep(shard === 'a' ? 300 : 1)) })
  const { ended } = await run([slow, stageOf('two', 'one'), stageOf('three', 'two')])
  expect(ended).toEqual(['one b', 'two b', 'three b', 'one a', 'two a', 'three a'])
})

test('what is in storage is done before, and stages that follow find theirs', async () => {
  const stages = [stageOf('one', null), stageOf('two', 'one')]
  const { storage } = await run(stages)
  const again = await run(stages, storage)
  expect(again.ended).toEqual([])
  expect(again.made.jobs.size).toBe(0)
  expect(again.said).toContain('one: 20 things, all done before')
})

test('a stage gives the next ones the shards that it splits its own into', async () => {
  const split = stageOf('split', null, {
    follow: () => ['x', 'y'].map((shard) => ({ shard, input: 'part', upstream: { kept: 1 } })),
  })
  const { made } = await run([split, stageOf('two', 'split')], new MemoryStorage(), ['a'])
  expect([...made.done.get('two')!.keys()]).toEqual(['x', 'y'])
})

test('two stages may take up the same one, as a tree', async () => {
  const { made } = await run([stageOf('one', null), stageOf('left', 'one'), stageOf('right', 'one')])
  for (const name of ['left', 'right']) expect([...made.done.get(name)!.keys()].sort()).toEqual(['a', 'b'])
})

test('a shard whose job fails goes no further, and counts with what it holds', async () => {
  const fails = stageOf('one', null, {
    work: async ({ shard }) => {
      if (shard === 'a') throw new TypeError('x is undefined')
    },
  })
  const { made, said } = await run([fails, stageOf('two', 'one')])
  expect([...made.done.get('two')!.keys()]).toEqual(['b'])
  expect([...made.failed]).toEqual([['internal-error', 10]])
  expect(said).toContain('1 one job failed (internal-error): TypeError: x is undefined')
})

test('the lock is gone before a job may change a file of the dataset, and stays where none does', async () => {
  const seen: [string, boolean][] = []
  const look: Step = { work: async ({ stage }, storage) => void seen.push([stage, await storage.has(LOCK)]) }
  const storage = new MemoryStorage()
  await storage.put(LOCK, '{}')
  await run([stageOf('quiet', null, look)], storage)
  await run([stageOf('quiet', null, look), stageOf('loud', 'quiet', { ...look, publishes: true })], storage, ['a'])
  expect(seen).toEqual([
    ['quiet', true],
    ['quiet', true],
    ['loud', false],
  ])
})

test('a check that fails ends the flow before its first job', async () => {
  const refused = new Error('no model')
  const broken: Stage = { ...stageOf('two', 'one'), preflight: () => Promise.reject(refused) }
  const storage = new MemoryStorage()
  await expect(run([stageOf('one', null), broken], storage)).rejects.toBe(refused)
  expect([...storage.files.keys()]).toEqual([])
})

test('a result that was cut short, or whose head can not be read, is made again', async () => {
  const stages = [stageOf('one', null)]
  const { storage, made } = await run(stages)
  // Packed heads don't hide it.
  await writeHeads(storage, 'one', made.done.get('one')!.values(), [])
  for (const damage of [(text: Buffer) => text.subarray(0, -3), () => Buffer.alloc(0), () => Buffer.from('{"ki')]) {
    const key = resultKey(made.done.get('one')!.get('a')!.job)
    const whole = Buffer.from(storage.files.get(key)!)
    storage.files.set(key, damage(whole))
    expect((await run(stages, storage)).ended).toEqual(['one a'])
    expect(Buffer.from(storage.files.get(key)!)).toEqual(whole)
  }
})

test('packed heads are those of the results, in bytes that depend on no order', async () => {
  const { made, storage } = await run([stageOf('one', null)])
  const done = [...made.done.get('one')!.values()]
  const digest = await writeHeads(storage, 'one', done, [])
  const keys = [...storage.files.keys()].filter((key) => key.startsWith('work/heads/'))
  const packs = keys.map((key) => storage.files.get(key))
  expect(await writeHeads(storage, 'one', done.toReversed(), keys)).toBe(digest)
  expect(keys.map((key) => storage.files.get(key))).toEqual(packs)
  const heads = await readHeads(storage, keys)
  expect(heads.digests.get('one')).toBe(digest)
  for (const { job, head, size } of done) {
    expect(heads.get(job)).toMatchObject({ head, size })
    expect(heads.get({ ...job, fingerprint: 'another' })).toBeUndefined()
  }
  storage.files.set(keys[0]!, Buffer.from('no gzip'))
  expect((await readHeads(storage, keys)).get(done[0]!.job)).toBeUndefined()
})
