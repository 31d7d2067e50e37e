/**
 * `npm run bench:extract`: a file of 300 MB, read by us, by osmium (both in 2 threads) and by osm-pbf-parser in turn, and
 * changed by us and by osmium; prints the medians of wall time, CPU time and peak memory, side by side, and how many times
 * as fast we are. What is read goes to /dev/null, so that no disk is measured.
 *
 * @example
 * npm run bench:extract -- --rounds 3 --megabytes 300 --only 'every tagged object' folder-of-extracts
 */
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createCaptioner, type TagVerdicts } from '../../captioner/src/index.ts'
import { benchFile } from './big-file.ts'
import { changeFile } from './change-file.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    megabytes: { type: 'string', default: '300' },
    /** What is read, by its name or a part of it. */
    only: { type: 'string', default: '' },
  },
})
const [source] = positionals
const READ = fileURLToPath(new URL('./read.ts', import.meta.url))
const SKYSCRIPT = fileURLToPath(new URL('../../worker/src/main.ts', import.meta.url))

interface Measured {
  readonly wall: number
  readonly cpu: number
  readonly megabytes: number
}

/** Runs a command under GNU time. */
function measure(command: readonly string[]): Measured {
  const env = { ...process.env, OSMIUM_POOL_THREADS: '2' }
  const { status, stderr } = spawnSync('/usr/bin/time', ['-f', '%e %U %S %M', ...command], {
    encoding: 'utf8',
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  if (status !== 0) throw new Error(`${command.join(' ')} failed: ${stderr}`)
  const [wall, user, system, kilobytes] = stderr.trim().split('\n').at(-1)!.split(' ').map(Number)
  return { wall: wall!, cpu: user! + system!, megabytes: kilobytes! / 1024 }
}

const sum = (parts: readonly Measured[]): Measured => ({
  wall: parts.reduce((total, { wall }) => total + wall, 0),
  cpu: parts.reduce((total, { cpu }) => total + cpu, 0),
  megabytes: Math.max(...parts.map(({ megabytes }) => megabytes)),
})
const median = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!

for (const tool of ['osmium', '/usr/bin/time']) {
  if (spawnSync(tool, ['--version']).status !== 0) throw new Error(`${tool} is needed (Debian: osmium-tool, time).`)
}
const big = await benchFile(Number(values.megabytes), source)
const size = statSync(big).size / 1e6

const ours = (mode: string) => [[process.execPath, READ, mode, big]]
const SELECTION = ['amenity', 'leisure', 'tourism', 'aeroway', 'man_made', 'sport', 'power=plant,substation,generator']
/** The tags that the pipeline selects by, as osmium takes them: a bare key if all of its values count. */
const VISIBLE = visibleRules(createCaptioner().verdicts())
const filtered = join(dirname(big), 'filtered.osm.pbf')
const osmium = (...args: string[]) => ['osmium', args[0]!, '--no-progress', '-O', ...args.slice(1)]
const filterAndExport = (rules: readonly string[]) => [
  osmium('tags-filter', '-o', filtered, big, ...rules.map((rule) => `nwr/${rule}`)),
  osmium('export', '-f', 'geojsonseq', '-o', '/dev/null', filtered),
]

const changed = join(dirname(big), 'changed.osm.pbf')
const apply = (changes: string) =>
  [
    ['ours', [[process.execPath, SKYSCRIPT, 'apply-changes', big, changes, '-o', changed]]],
    ['osmium apply-changes', [osmium('apply-changes', '-o', changed, big, changes)]],
  ] as const
const [DAY, MANY] = [await changeFile(big, 10_000), await changeFile(big, 100)]

/** What is read, then by whom. */
const ALL_RUNS: readonly (readonly [what: string, who: string, readonly (readonly string[])[]])[] = [
  ['inflate only', 'ours', ours('inflate')],
  ['decode all', 'ours', ours('decode')],
  ['decode all', 'osm-pbf-parser', ours('osm-pbf-parser')],
  ['decode all', 'osmium fileinfo -e', [['osmium', 'fileinfo', '-e', '--no-progress', big]]],
  ['selection with geometry', 'ours', ours('selection')],
  ['selection with geometry', 'osmium tags-filter + export', filterAndExport(SELECTION)],
  ["the pipeline's selection", 'ours', ours('visible')],
  ["the pipeline's selection", 'osmium tags-filter + export', filterAndExport(VISIBLE)],
  ['every tagged object', 'ours', ours('all')],
  ['every tagged object', 'osmium export', [osmium('export', '-f', 'geojsonseq', '-o', '/dev/null', big)]],
  ...apply(DAY).map((by) => ['changes of 1 element in 10,000', ...by] as const),
  ...apply(MANY).map((by) => ['changes of 1 element in 100', ...by] as const),
]

const RUNS = ALL_RUNS.filter(([what]) => what.includes(values.only))
const results = RUNS.map(() => [] as Measured[])
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [i, [what, who, commands]] of RUNS.entries()) {
    // What the one before wrote shall not be written to the disk meanwhile.
    spawnSync('sync')
    results[i]!.push(sum(commands.map(measure)))
    process.stderr.write(`round ${round + 1}: ${what}: ${who} ${results[i]!.at(-1)!.wall.toFixed(1)} s\n`)
  }
}
process.stdout.write(`${basename(big)}, ${size.toFixed(0)} MB, medians of ${values.rounds}\n`)
process.stdout.write(`${''.padEnd(54)}  wall s    MB/s   CPU s  RSS MB  our wall\n`)
const medianOf = (i: number, key: keyof Measured) => median(results[i]!.map((run) => run[key]))
for (const [i, [what, who]] of RUNS.entries()) {
  const wall = medianOf(i, 'wall')
  const our = RUNS.findIndex((run) => run[0] === what && run[1] === 'ours')
  const cells = [
    wall.toFixed(2),
    (size / wall).toFixed(1),
    medianOf(i, 'cpu').toFixed(1),
    medianOf(i, 'megabytes').toFixed(0),
  ]
  const times = i === our ? '' : `1 / ${(wall / medianOf(our, 'wall')).toFixed(2)}`
  const row = [...cells.map((cell) => cell.padStart(8)), times.padStart(10)].join('')
  process.stdout.write(`${`${what}: ${who}`.padEnd(54)}${row}\n`)
}

function visibleRules({ tags, patterns }: TagVerdicts): string[] {
  const anyValue = patterns.flatMap(({ key, verdict }) => (verdict === null && typeof key === 'string' ? [key] : []))
  const some = [...tags].flatMap(([key, values]) => {
    const seen = [...values].flatMap(([value, verdict]) => (verdict === null && !value.includes(',') ? [value] : []))
    return anyValue.includes(key) || seen.length === 0 ? [] : [`${key}=${seen.join(',')}`]
  })
  return [...new Set(anyValue), ...some]
}
