/**
 * `npm run bench:plan`: `skyscript plan` of the file that bench:extract makes, in a process of its own: time until the map is
 * read, objects are selected and planned, peak memory, and the time that a second plan takes, which has nothing to do.
 * Beside each figure its target. Imagery is the local Earth Engine's, of which only the catalogue is asked.
 *
 * @example
 * npm run bench:plan -- --megabytes 40
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { loadavg, tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readLines } from '@skyscript/core'
import { stringify } from 'yaml'
import { benchFile } from '../../osm-extract/bench/big-file.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { megabytes: { type: 'string', default: '300' } },
})
if (spawnSync('/usr/bin/time', ['--version']).status !== 0) throw new Error('GNU time is needed (Debian: time).')
const MAIN = fileURLToPath(new URL('../../worker/src/main.ts', import.meta.url))
const MODEL = fileURLToPath(new URL('../../../examples/demo/model', import.meta.url))

interface Measured {
  /** Seconds from the start until each stage said that it ended, and until the process ended. */
  readonly at: Readonly<Record<string, number>>
  readonly seconds: number
  readonly megabytes: number
  readonly focus: number
}

async function plan(region: string): Promise<Measured> {
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  const child = spawn('/usr/bin/time', ['-f', '%M', process.execPath, MAIN, 'plan', region, '--json'])
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const at: Record<string, number> = {}
  let last = ''
  const ended = once(child, 'exit')
  for await (const line of readLines(child.stderr)) {
    last = line
    // How far a stage has come is said with a percentage, its end with the time it took.
    const end = /^(extract|select|plan): .*\((?!\d+ %)[^()]*\)$/.exec(line)
    if (end) at[end[1]!] = seconds()
    process.stderr.write(`${line}\n`)
  }
  const [status] = await ended
  if (status !== 0) throw new Error(`skyscript plan ended with ${status}.`)
  const { objects } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as { objects: { focus: number } }
  return { at, seconds: seconds(), megabytes: Number(last) / 1024, focus: objects.focus }
}

const file = positionals[0] ?? (await benchFile(Number(values.megabytes)))
const folder = await mkdtemp(join(tmpdir(), 'skyscript-bench-plan-'))
try {
  const region = join(folder, 'region.yaml')
  const settings = {
    osm: { source: file },
    imagery: { sources: ['CH', 'ES', 'DE', 'FI', 'US', 'S2', 'L8'], earthEngine: { endpoint: 'local' } },
    filter: { scorers: [{ name: 'openai', model: MODEL }] },
    output: join(folder, 'out'),
  }
  await writeFile(region, stringify(settings))
  const { size } = await stat(file)
  const first = await plan(region)
  const again = await plan(region)
  const { extract = 0, select = 0, plan: planned = 0 } = first.at
  const load = loadavg()[0]!.toFixed(1)
  const row = (name: string, value: string, target = '') =>
    process.stdout.write(`${name.padEnd(34)}${value.padStart(16)}${target.padStart(20)}\n`)
  process.stdout.write(`${basename(file)}, ${(size / 1e6).toFixed(0)} MB, ${first.focus} focus objects, load ${load}\n`)
  row('', '', 'target (319 MB)')
  row('extract', `${extract.toFixed(1)} s`)
  row('select', `${(select - extract).toFixed(1)} s`, '60 s')
  row('plan', `${Math.round(first.focus / (planned - select))} objects/s`, '20000 objects/s')
  row('counting what a build would cost', `${(first.seconds - planned).toFixed(1)} s`)
  row('peak memory', `${first.megabytes.toFixed(0)} MB`, '1500 MB')
  row('plan again, nothing to do', `${again.seconds.toFixed(1)} s`, '15 s')
  row('  its peak memory', `${again.megabytes.toFixed(0)} MB`)
} finally {
  await rm(folder, { recursive: true, force: true })
}
