/** Makes a change file for a large PBF file: nodes that move, ways and relations that get a tag, and some that go. */
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { rename, stat } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { openPbf } from '../src/blobs.ts'
import { type Relation, visitBlock, type Way } from '../src/block.ts'

/** @param every one element in this many changes, evenly over the file; a tenth of them are deleted */
export async function changeFile(pbf: string, every: number): Promise<string> {
  const path = pbf.replace('.osm.pbf', `-1-in-${every}.osc.gz`)
  if (await stat(path).catch(() => null)) return path
  process.stderr.write(`Making ${path} (once) ...\n`)
  const out = createGzip({ level: 5 })
  const written = pipeline(out, createWriteStream(`${path}.part`))
  out.write('<osmChange version="0.6">\n')
  const file = openPbf(pbf)
  let seen = 0
  for (const blob of file.index().slice(1)) {
    const lines: string[] = []
    const isChosen = () => seen++ % every === 7
    const put = (name: string, id: number, version: number, content: string, attributes = '') => {
      const isDeleted = lines.length % 10 === 9
      const action = isDeleted ? 'delete' : 'modify'
      const head = `<${action}><${name} id="${id}" version="${version + 1}" timestamp="2026-01-01T00:00:00Z"`
      lines.push(isDeleted ? `${head}/></${action}>` : `${head}${attributes}>${content}</${name}></${action}>`)
    }
    visitBlock(
      file.read(blob),
      { path: pbf, offset: blob.offset },
      {
        nodes(group) {
          for (let i = 0; i < group.count; i++) {
            if (!isChosen()) continue
            const [lon, lat] = [(group.longitudes.values[i]! + 100) / 1e7, group.latitudes.values[i]! / 1e7]
            put('node', group.ids.values[i]!, group.versionAt(i), '', ` lon="${lon}" lat="${lat}"`)
          }
        },
        way(way) {
          if (isChosen()) put('way', way.id, way.version, refsOf(way) + NEW_TAG)
        },
        relation(relation) {
          if (isChosen()) put('relation', relation.id, relation.version, membersOf(relation) + NEW_TAG)
        },
      },
    )
    if (!out.write(lines.map((line) => `${line}\n`).join(''))) await once(out, 'drain')
  }
  out.end('</osmChange>\n')
  await written
  file.close()
  await rename(`${path}.part`, path)
  return path
}

const NEW_TAG = '<tag k="note" v="changed"/><tag k="building" v="yes"/>'

const listOf = ({ values, length }: { values: Float64Array; length: number }) => [...values.subarray(0, length)]

const refsOf = (way: Way) =>
  listOf(way.refs())
    .map((ref) => `<nd ref="${ref}"/>`)
    .join('')

function membersOf(relation: Relation): string {
  const { ids, types } = relation.members()
  const names = ['node', 'way', 'relation']
  return listOf(ids)
    .map((ref, i) => `<member type="${names[types.values[i]!]}" ref="${ref}" role=""/>`)
    .join('')
}
