/**
 * `npm run match:osmium -- <files>`: for each file, how many of the objects that we or `osmium export` read of it are the
 * same in both, and what differs.
 */
import { basename } from 'node:path'
import { compareWithOsmium } from './against-osmium.ts'

const files = process.argv.slice(2)
if (files.length === 0) throw new Error('Name one .osm.pbf file or more.')
let [objects, equal] = [0, 0]
process.stdout.write(`${'file'.padEnd(32)}${'objects'.padStart(10)}${'equal'.padStart(10)}${'match'.padStart(10)}\n`)
const row = (name: string, all: number, same: number) =>
  `${name.padEnd(32)}${String(all).padStart(10)}${String(same).padStart(10)}${`${((100 * same) / all).toFixed(3)} %`.padStart(10)}\n`
for (const file of files) {
  const compared = await compareWithOsmium(file)
  objects += compared.objects
  equal += compared.equal
  process.stdout.write(row(basename(file), compared.objects, compared.equal))
  for (const [how, ids] of Map.groupBy(compared.different.keys(), (id) => compared.different.get(id)))
    process.stdout.write(`  ${how}: ${ids.length}, such as ${ids.slice(0, 3).join(', ')}\n`)
  for (const [reason, n] of compared.dropped) process.stdout.write(`  left out by us, ${reason}: ${n}\n`)
}
process.stdout.write(row('all', objects, equal))
