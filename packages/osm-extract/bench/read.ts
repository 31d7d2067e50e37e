/** One way of reading a PBF file to its end: `node read.ts <mode> <file>`; for the benchmarks. */
import { createReadStream, createWriteStream } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { toFeatureLine } from '@skyscript/core'
import OsmPbfParser from 'osm-pbf-parser'
import { openPbf } from '../src/blobs.ts'
import { type Element, visitBlock } from '../src/block.ts'
import { extract } from '../src/extract.ts'
import type { TagRules } from '../src/tag-rules.ts'

/** The selective rules: some 4.5 % of all nodes are needed. */
const SELECTION: TagRules = new Map<string, true | ReadonlySet<string>>([
  ...['amenity', 'leisure', 'tourism', 'aeroway', 'man_made', 'sport'].map((key) => [key, true] as const),
  ['power', new Set(['plant', 'substation', 'generator'])],
])

const [mode, path] = process.argv.slice(2) as [string, string]
/** Keeps what was read from being optimised away. */
let sink = 0
let count = 0

if (mode === 'osm-pbf-parser') {
  const write = (items: { tags: object }[], _: unknown, done: () => void) => {
    count += items.length
    for (const { tags } of items) sink += Object.keys(tags).length
    done()
  }
  await pipeline(createReadStream(path), new OsmPbfParser(), new Writable({ objectMode: true, write }))
} else if (mode === 'inflate' || mode === 'decode') {
  const visit = (element: Element) => {
    count++
    if (element.tagCount > 0) sink += element.tags().length
  }
  const file = await openPbf(path)
  for (const blob of file.blobs) {
    if (blob.type !== 'OSMData') continue
    const block = await file.read(blob)
    if (mode === 'inflate') sink += block.length
    else
      visitBlock(
        block,
        { path, offset: blob.offset },
        {
          node: (_id, _longitude, _latitude, element) => visit(element),
          way: (_id, refs, _locations, element) => {
            sink += refs.length
            visit(element)
          },
          relation: (_id, members, _types, element) => {
            sink += members.length
            visit(element)
          },
        },
      )
  }
  await file.close()
} else {
  const out = createWriteStream('/dev/null')
  const wanted = mode === 'all' ? () => true : SELECTION
  for await (const object of extract(path, { wanted })) {
    count++
    if (!out.write(`${toFeatureLine(object)}\n`)) await new Promise<void>((done) => out.once('drain', () => done()))
  }
  out.end()
}
process.stdout.write(`${mode}: ${count} of ${path}${sink < 0 ? '!' : ''}\n`)
