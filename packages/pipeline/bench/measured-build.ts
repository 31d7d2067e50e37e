import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { readLines } from '@skyscript/core'

const MAIN = fileURLToPath(new URL('../../worker/src/main.ts', import.meta.url))

export interface Measured {
  readonly seconds: number
  /** Seconds of the processor. */
  readonly processor: number
  /** Seconds from the start until each stage ended. */
  readonly ends: Readonly<Record<string, number>>
  readonly jobs: Readonly<Record<string, number>>
  readonly images: number
}

/** `skyscript build` in a process of its own, under GNU time; its progress goes to this process's stderr. */
export async function measuredBuild(region: string): Promise<Measured> {
  const start = performance.now()
  const seconds = () => (performance.now() - start) / 1000
  const child = spawn('/usr/bin/time', ['-f', '%U %S', process.execPath, MAIN, 'build', region, '--json'])
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  const ended = once(child, 'exit')
  const ends: Record<string, number> = {}
  let last = ''
  for await (const line of readLines(child.stderr)) {
    last = line
    const end = /^([a-z ]+): .*\((?!\d+ %)[^()]*\)$/.exec(line)
    if (end) ends[end[1]!] = seconds()
    process.stderr.write(`${line}\n`)
  }
  const [status] = await ended
  if (status !== 0) throw new Error(`skyscript build ended with ${status}.`)
  const { jobs, counts } = JSON.parse(Buffer.concat(chunks).toString('utf8')) as {
    jobs: Record<string, number>
    counts: { kept: number }
  }
  const processor = last.split(' ').reduce((sum, each) => sum + Number(each), 0)
  return { seconds: seconds(), processor, ends, jobs, images: counts.kept }
}

const row = (name: string, ...cells: readonly string[]) =>
  process.stdout.write(`${name.padEnd(26)}${cells.map((cell) => cell.padStart(14)).join('')}\n`)

/** Prints both builds side by side. */
export function compareBuilds(before: Measured, after: Measured, target: string): void {
  row('', 'build', 'after change', 'percent')
  const compare = (name: string, of: (measured: Measured) => number, unit = '') => {
    const cells = [before, after].map((each) => `${of(each).toFixed(unit ? 1 : 0)}${unit}`)
    row(name, ...cells, ((100 * of(after)) / of(before)).toFixed(1))
  }
  compare(`time (${target})`, ({ seconds }) => seconds, ' s')
  compare('processor time', ({ processor }) => processor, ' s')
  for (const stage of Object.keys(before.jobs)) compare(`jobs: ${stage}`, ({ jobs }) => jobs[stage] ?? 0)
  for (const [stage, end] of Object.entries(after.ends))
    row(`${stage} ended at`, `${(before.ends[stage] ?? 0).toFixed(1)} s`, `${end.toFixed(1)} s`)
}
