/**
 * Reads every element of a PBF file with our reader and with osm-pbf-parser, and prints both rates.
 *
 * @example
 * node packages/osm-extract/bench/decode.ts andorra.osm.pbf
 */
import { createReadStream, statSync } from 'node:fs'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import OsmPbfParser from 'osm-pbf-parser'
import { openPbf } from '../src/blobs.ts'
import { type Element, visitBlock } from '../src/block.ts'

const ROUNDS = 3

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('Name a PBF file.')
const megabytes = statSync(path).size / 1e6

let sink = 0

async function ours(): Promise<number> {
  const file = await openPbf(path!)
  let elements = 0
  const visit = (element: Element) => {
    elements++
    if (element.tagCount > 0) sink += element.tags().length
  }
  for (const blob of file.blobs) {
    if (blob.type !== 'OSMData') continue
    visitBlock(
      await file.read(blob),
      { path: file.path, offset: blob.offset },
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
  return elements
}

async function theirs(): Promise<number> {
  let elements = 0
  const count = new Writable({
    objectMode: true,
    write(items: { tags: object }[], _, done) {
      elements += items.length
      for (const { tags } of items) sink += Object.keys(tags).length
      done()
    },
  })
  await pipeline(createReadStream(path!), new OsmPbfParser(), count)
  return elements
}

for (const [name, read] of [
  ['ours', ours],
  ['osm-pbf-parser', theirs],
] as const) {
  const times: number[] = []
  let elements = 0
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now()
    elements = await read()
    times.push((performance.now() - start) / 1000)
  }
  const best = Math.min(...times)
  process.stdout.write(
    `${name.padEnd(16)} ${elements} elements in ${best.toFixed(2)} s: ${(elements / best / 1e6).toFixed(2)} M/s, ${(megabytes / best).toFixed(1)} MB/s\n`,
  )
}
if (sink < 0) throw new Error('unreachable')
