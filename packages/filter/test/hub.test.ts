// @module-tag slow
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { InputError, ServiceError, sha256 } from '@skyscript/core'
import { openScorer } from '@skyscript/filter'
import { expect, test, vi } from 'vitest'
import { findModel } from '../src/model/find-model.ts'
import { fromHub } from '../src/model/hub-cache.ts'
import { MODEL_FILES } from '../src/model/model-folder.ts'
import { COMMIT, type Fault, type Hub, ID, type Request, startHub } from './support/hub.ts'
import { smallModelFiles, temporaryFolder, writeFiles } from './support/models.ts'

const VISION = 'onnx/vision_model.onnx'
/** Large enough that a download takes many chunks. */
const BIG = 'onnx/text_model.onnx_data'
const big = Buffer.alloc(3_000_000, 'weights of a model ')

interface Told {
  readonly done: number
  readonly total: number | undefined
}

/** A hub with the small model, and an empty cache. */
async function setUp(more: Readonly<Record<string, Uint8Array | string>> = {}) {
  const hub = await startHub({ ...smallModelFiles(), 'README.md': '# Not needed', ...more })
  const cacheFolder = await temporaryFolder()
  const told: Told[] = []
  const open = (options: { silence?: number; revision?: string; token?: string } = {}) =>
    fromHub({
      id: ID,
      revision: options.revision ?? 'main',
      hub: hub.url,
      needed: MODEL_FILES,
      cacheFolder,
      token: options.token ?? null,
      patience: { silence: options.silence ?? 20_000, pause: 1 },
      progress: { update: (done, total) => void told.push({ done, total }) },
    })
  return { hub, cacheFolder, open, told }
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort()

const whole = (commit = COMMIT) => [
  ...MODEL_FILES.map((name) => `models/owner--tiny-clip/${commit}/${name}`),
  'models/owner--tiny-clip/main.lock.json',
]

const of = (name: string, fault: Fault) => (request: Request) => (request.path.endsWith(name) ? fault : null)

async function faultOf(opened: Promise<unknown>): Promise<InputError | ServiceError> {
  const error = await opened.then(
    () => new Error('It opened.'),
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof InputError || error instanceof ServiceError)) throw error
  expect(error.message).toMatch(/^[^\n]+\.$/)
  return error
}

test('the first use downloads, pins commit and hashes, and scores; later ones make no request', async () => {
  const { hub, cacheFolder } = await setUp()
  const open = () => openScorer({ name: 'hub', model: ID, cacheFolder, hub: `${hub.url}/` })
  const first = await open()
  const files = smallModelFiles()
  expect(first.model).toEqual({
    id: ID,
    revision: COMMIT,
    files: MODEL_FILES.map((name) => ({ name, sha256: sha256(files[name]!) })),
  })
  await first.close()
  expect(filesIn(cacheFolder)).toEqual(whole())
  expect(hub.requests.some(({ path }) => path.includes('README'))).toBe(false)

  hub.requests.length = 0
  hub.commit = 'f'.repeat(40)
  hub.files = {}
  const second = await open()
  await second.close()
  expect(second.model).toEqual(first.model)
  expect(second.fingerprint).toBe(first.fingerprint)
  expect(hub.requests).toEqual([])
})

test('the environment names the hub and the token, which is sent only to the hub', async () => {
  const { hub, cacheFolder } = await setUp()
  vi.stubEnv('HF_ENDPOINT', hub.url)
  vi.stubEnv('HF_TOKEN', 'hf_secret')
  try {
    await findModel({ model: ID, cacheFolder })
  } finally {
    vi.unstubAllEnvs()
  }
  const elsewhere = hub.requests.filter(({ path }) => path === `/${VISION}`)
  expect(elsewhere).toMatchObject([{ authorization: undefined }])
  for (const { path, authorization } of hub.requests) {
    if (path.includes(ID)) expect(authorization).toBe('Bearer hf_secret')
  }
})

test('progress is reported from zero to the total, and never decreases', async () => {
  const { open, told } = await setUp({ [BIG]: big })
  await open()
  const { [BIG]: _, ...small } = smallModelFiles()
  const total = Object.values(small).reduce((sum, content) => sum + content.length, 0) + big.length
  expect(new Set(told.map((each) => each.total))).toEqual(new Set([total]))
  const done = told.map((each) => each.done)
  expect(done).toEqual(done.toSorted((a, b) => a - b))
  expect([done[0], done.at(-1)]).toEqual([0, total])
  expect(done.length).toBeGreaterThan(10)
})

test('a missing or damaged file is downloaded again, from the pinned commit', async () => {
  const { hub, cacheFolder, open } = await setUp()
  const { folder, identity } = await open()
  hub.fault = (request) => (request.path.startsWith('/api/') ? { status: 500 } : null)
  for (const damage of [
    () => rm(join(folder, VISION)),
    () => truncate(join(folder, VISION), 10),
    () => writeFile(join(folder, VISION), Buffer.alloc((smallModelFiles()[VISION] as Uint8Array).length)),
  ]) {
    hub.requests.length = 0
    await damage()
    expect((await open()).identity).toEqual(identity)
    expect(hub.requests.map(({ path }) => path)).toEqual([`/${ID}/resolve/${COMMIT}/${VISION}`, `/${VISION}`])
  }
  expect(filesIn(cacheFolder)).toEqual(whole())
})

test('a hub that sends different bytes for a pinned commit is refused', async () => {
  const { hub, open } = await setUp()
  const { folder } = await open()
  for (const name of ['tokenizer.json', VISION]) {
    hub.files[name] = Buffer.alloc(smallModelFiles()[name]!.length, ' ')
    await rm(join(folder, name))
    expect(await faultOf(open())).toMatchObject({ code: 'hub-corrupt' })
    expect(() => readdirSync(join(folder, name))).toThrow('ENOENT')
    hub.files[name] = smallModelFiles()[name]!
    await open()
  }
})

test('an interrupted download resumes where it stopped', async () => {
  const { hub, cacheFolder, open } = await setUp({ [BIG]: big })
  let cuts = 3
  hub.fault = (request) => (request.path === `/${BIG}` && cuts-- > 0 ? { cutAfter: 700_000 } : null)
  const { folder } = await open()
  expect(sha256(await readFile(join(folder, BIG)))).toBe(sha256(big))
  const asked = hub.requests.filter(({ path }) => path === `/${BIG}`)
  const starts = asked.map(({ range }) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')![1]))
  expect(starts).toHaveLength(4)
  expect(new Set(starts).size).toBe(4)
  expect(starts).toEqual(starts.toSorted((a, b) => a - b))
  expect(filesIn(cacheFolder)).toHaveLength(6)
})

test.each<[string, Fault, string, boolean]>([
  ['breaks off each time', { cutAfter: 100 }, 'hub-unreachable', true],
  ['falls silent', { hangAfter: 100 }, 'hub-unreachable', true],
  ['is too short', { bytes: Buffer.alloc(100, 'x') }, 'hub-error', true],
  ['is too long', { bytes: Buffer.alloc(1e6, 'x') }, 'hub-corrupt', true],
  ['is a page to log in', { html: '<!doctype html><title>Sign in</title>' }, 'hub-error', true],
  ['is answered with 500', { status: 500 }, 'hub-error', true],
  ['is answered with 429', { status: 429 }, 'hub-error', true],
  ['is answered with 418', { status: 418 }, 'hub-error', false],
  ['is answered with 404', { status: 404 }, 'unknown-model', false],
  ['is answered with 403', { status: 403 }, 'unknown-model', false],
])('if a file %s, none looks finished, and the next use completes it', async (_, fault, code, again) => {
  const { hub, cacheFolder, open } = await setUp({ [VISION]: Buffer.alloc(2000, 'v') })
  hub.fault = of(`/${VISION}`, fault)
  const error = await faultOf(open({ silence: 100 }))
  expect(error.code).toBe(code)
  expect(error instanceof ServiceError && error.retry).toBe(again)
  expect(filesIn(cacheFolder).filter((name) => /lock\.json$|vision_model\.onnx$/.test(name))).toEqual([])
  expect(hub.requests.filter(({ path }) => path.endsWith(VISION)).length > 2).toBe(again)
  hub.fault = () => null
  await open()
  expect(filesIn(cacheFolder)).toEqual(whole())
})

test('a file with a wrong hash is refused even if its length is right', async () => {
  for (const name of ['tokenizer.json', VISION]) {
    const { hub, cacheFolder, open } = await setUp()
    hub.fault = of(`/${name}`, { bytes: Buffer.alloc(smallModelFiles()[name]!.length, ' ') })
    const error = await faultOf(open())
    expect(error.code).toBe('hub-corrupt')
    expect(error.message).toMatch(new RegExp(`${name} from .*; run the command again, or copy the model`))
    expect(filesIn(cacheFolder).some((path) => path.includes(name) || path.endsWith('.lock.json'))).toBe(false)
  }
})

test.each<[string, Fault, string, RegExp]>([
  ['404', { status: 404 }, 'unknown-model', /owner\/tiny-clip.*\.\/owner\/tiny-clip/],
  ['401', { status: 401 }, 'unknown-model', /HF_TOKEN/],
  ['500', { status: 500 }, 'hub-error', /500/],
  ['silence', { hangAfter: 0 }, 'hub-unreachable', /nothing came for 0\.1 s/],
  ['half an answer', { cutAfter: 30 }, 'hub-unreachable', /not whole in the cache/],
  ['a web page', { html: '<!doctype html>' }, 'hub-error', /model hub/],
  ['null', { bytes: Buffer.from('null') }, 'hub-error', /model hub/],
  ['no commit', { bytes: Buffer.from('{"sha":"../../..","siblings":[]}') }, 'hub-error', /model hub/],
  ['no files', { bytes: Buffer.from(`{"sha":"${COMMIT}","siblings":[]}`) }, 'missing-model-file', /tokenizer\.json/],
  [
    'odd files',
    { bytes: Buffer.from(`{"sha":"${COMMIT}","siblings":[null,1,{"rfilename":2}]}`) },
    'missing-model-file',
    /onnx/,
  ],
])('a hub that answers with %s is one clear error, and the cache stays empty', async (_, fault, code, said) => {
  const { hub, cacheFolder, open } = await setUp()
  hub.fault = (request) => (request.path.startsWith('/api/') ? fault : null)
  const error = await faultOf(open({ silence: 100, token: 'hf_secret' }))
  expect(error.code).toBe(code)
  expect(error.message).toMatch(said)
  expect(error.message).not.toContain('hf_secret')
  expect(filesIn(cacheFolder)).toEqual([])
})

test('a temporary fault of the hub is not noticed', async () => {
  const { hub, open } = await setUp()
  const faults: Fault[] = [{ status: 500 }, { status: 429 }, { hangAfter: 0 }, { cutAfter: 20 }]
  hub.fault = (request) => (request.path.startsWith('/api/') ? (faults.shift() ?? null) : null)
  await open({ silence: 200 })
  expect(faults).toEqual([])
})

test('a busy hub is retried after its Retry-After', async () => {
  const { hub, open } = await setUp()
  const times: number[] = []
  hub.fault = ({ path }) => {
    if (!path.endsWith(VISION)) return null
    times.push(performance.now())
    return times.length === 1 ? { status: 503, retryAfter: '1' } : null
  }
  await open()
  expect(times[1]! - times[0]!).toBeGreaterThan(950)
})

test('an unreachable hub is one clear error', async () => {
  const { hub, cacheFolder } = await setUp()
  const patience = { silence: 1000, pause: 1 }
  const gone = hub.url.replace(/\d+$/, '1')
  const error = await faultOf(
    fromHub({ id: ID, revision: 'main', hub: gone, needed: MODEL_FILES, cacheFolder, token: null, patience }),
  )
  expect(error).toMatchObject({ code: 'hub-unreachable', retry: true })
  const bad = (address: string) => findModel({ model: ID, cacheFolder, hub: address })
  for (const address of ['', 'hub', 'ftp://hub', 'https://me:secret@hub']) {
    const { code, message } = await faultOf(bad(address))
    expect(code).toBe('bad-hub')
    expect(message).not.toContain('secret')
  }
})

test('a damaged lock, a file in place of the cache and an unknown revision are named', async () => {
  const { hub, cacheFolder, open } = await setUp()
  await open()
  const lock = join(cacheFolder, 'models/owner--tiny-clip/main.lock.json')
  for (const text of [
    '',
    '{',
    'null',
    '{"id":"owner/tiny-clip"}',
    (await readFile(lock, 'utf8')).replace(COMMIT, '..'),
  ]) {
    await writeFile(lock, text)
    const error = await faultOf(open())
    expect(error.code).toBe('bad-model-lock')
    expect(error.message).toContain(lock)
  }
  expect(await faultOf(open({ revision: 'v2' }))).toMatchObject({ code: 'unknown-model' })
  const file = join(await writeFiles(await temporaryFolder(), { 'a-file': 'x' }), 'a-file')
  const error = await faultOf(findModel({ model: ID, cacheFolder: file, hub: hub.url }))
  expect(error.code).toBe('bad-model-cache')
  expect(error.message).toContain(file)
})

const PROGRAM = fileURLToPath(new URL('./support/open-model.ts', import.meta.url))

function openElsewhere(hub: Hub, cacheFolder: string) {
  const child = spawn(process.execPath, [PROGRAM, hub.url, ID, cacheFolder], { stdio: ['ignore', 'pipe', 'inherit'] })
  const output = child.stdout.toArray().then((chunks) => Buffer.concat(chunks as Buffer[]).toString())
  return { child, output }
}

test('processes that use a model for the first time simultaneously all get it complete', async () => {
  const { hub, cacheFolder, open } = await setUp({ [BIG]: big })
  const others = [openElsewhere(hub, cacheFolder), openElsewhere(hub, cacheFolder)]
  const { identity } = await open()
  for (const { output } of others) expect(JSON.parse(await output)).toEqual(identity)
  hub.requests.length = 0
  await open()
  expect(hub.requests).toEqual([])
  expect(filesIn(cacheFolder)).toHaveLength(6)
})

test('a download that was killed looks unfinished, and is resumed', async () => {
  const { hub, cacheFolder, open } = await setUp({ [BIG]: big })
  hub.fault = of(`/${BIG}`, { hangAfter: 1_000_000 })
  const { child } = openElsewhere(hub, cacheFolder)
  const sizeOfPart = async () => {
    const part = filesIn(cacheFolder).find((name) => name.endsWith('.partial'))
    return part?.includes('onnx_data') ? (await readFile(join(cacheFolder, part))).length : 0
  }
  await vi.waitFor(async () => expect(await sizeOfPart()).toBe(1_000_000), { timeout: 20_000, interval: 50 })
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(filesIn(cacheFolder).filter((name) => /lock\.json$|onnx_data$/.test(name))).toEqual([])

  hub.fault = () => null
  hub.requests.length = 0
  const { folder } = await open()
  expect(sha256(await readFile(join(folder, BIG)))).toBe(sha256(big))
  expect(hub.requests.find(({ path }) => path === `/${BIG}`)?.range).toBe('bytes=1000000-')
  expect(filesIn(cacheFolder)).toHaveLength(6)
})
