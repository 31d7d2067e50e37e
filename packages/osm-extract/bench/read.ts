/** One way of reading a PBF file to its end, in two threads: `node read.ts <mode> <file>`; for the benchmarks. */
import { createReadStream, createWriteStream } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

import type { Element, TagRules, TagVerdicts } from '../src/index.ts'

// As the command line does.
enableCompileCache()
const { extract, openPbf, visitBlock } = await import('../src/index.ts')

const THREADS = 2

/** The selective rules: some 4.5 % of all nodes are needed. */
const SELECTION: TagRules = new Map<string, true | ReadonlySet<string>>([
  ...['amenity', 'leisure', 'tourism', 'aeroway', 'man_made', 'sport'].map((key) => [key, true] as const),
  ['power', new Set(['plant', 'substation', 'generator'])],
])

/** Blobs that no other thread has taken. @param next the first of them, in memory that the threads share */
function readBlobs(mode: string, path: string, next: Int32Array): number {
  let count = 0
  /** Keeps what was read from being optimised away. */
  let sink = 0
  const file = openPbf(path)
  const blobs = file.index().filter(({ type }) => type === 'OSMData')
  const visit = (element: Element) => {
    count++
    sink += element.tags().length
    sink += element.version + (element.seconds || 0)
  }
  for (let i = Atomics.add(next, 0, 1); i < blobs.length; i = Atomics.add(next, 0, 1)) {
    const block = file.read(blobs[i]!)
    if (mode === 'inflate') sink += block.length
    else
      visitBlock(
        block,
        { path, offset: blobs[i]!.offset },
        {
          nodes: (nodes) => {
            count += nodes.count
            for (let at = 0; at < nodes.count; at++) sink += nodes.longitudes.values[at]! + nodes.latitudes.values[at]!
            nodes.forEachTagged(() => {
              count--
              visit(nodes)
            })
          },
          way: (way) => {
            sink += way.refs().length
            visit(way)
          },
          relation: (relation) => {
            sink += relation.members().ids.length
            visit(relation)
          },
        },
      )
  }
  file.close()
  return sink === 0.5 ? 0 : count
}

async function readByOsmPbfParser(path: string): Promise<number> {
  const { default: OsmPbfParser } = await import('osm-pbf-parser')
  let count = 0
  let sink = 0
  const write = (items: { tags: object }[], _: unknown, done: () => void) => {
    count += items.length
    for (const { tags } of items) sink += Object.keys(tags).length
    done()
  }
  await pipeline(createReadStream(path), new OsmPbfParser(), new Writable({ objectMode: true, write }))
  return sink === 0.5 ? 0 : count
}

async function readInThreads(mode: string, path: string): Promise<number> {
  const next = new Int32Array(new SharedArrayBuffer(4))
  const counts = Array.from({ length: THREADS }, () => {
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: { mode, path, next } })
    return new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject))
  })
  return (await Promise.all(counts)).reduce((a, b) => a + b)
}

async function writeObjects(path: string, wanted: TagRules | TagVerdicts | 'all'): Promise<number> {
  const out = createWriteStream('/dev/null')
  const extraction = extract(path, { wanted, threads: THREADS })
  for await (const { bytes } of extraction.chunks())
    if (!out.write(bytes)) await new Promise<void>((done) => out.once('drain', () => done()))
  out.end()
  const { points, lines, areas } = extraction.report().emitted
  return points + lines + areas
}

if (isMainThread) {
  const [mode, path] = process.argv.slice(2) as [string, string]
  const count =
    mode === 'osm-pbf-parser'
      ? await readByOsmPbfParser(path)
      : mode === 'inflate' || mode === 'decode'
        ? await readInThreads(mode, path)
        : await writeObjects(
            path,
            mode === 'all'
              ? 'all'
              : mode === 'visible'
                ? (await import('../../captioner/src/index.ts')).createCaptioner().verdicts()
                : SELECTION,
          )
  process.stdout.write(`${mode}: ${count} of ${path}\n`)
} else {
  const { mode, path, next } = workerData as { mode: string; path: string; next: Int32Array }
  parentPort!.postMessage(readBlobs(mode, path, next))
}
