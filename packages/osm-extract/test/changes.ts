import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll } from 'vitest'
import { type AppliedChanges, type ApplyOptions, applyChanges } from '../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'osm-changes-test-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
let files = 0

/** A path for a file that is gone after the tests. */
export const newPath = (ending: string): string => join(folder, `${files++}${ending}`)

/** A change file of some actions: `<modify>...</modify>`. */
export function oscOf(actions: string): string {
  const path = newPath('.osc.gz')
  writeFileSync(path, gzipSync(`<?xml version="1.0"?>\n<osmChange version="0.6">\n${actions}\n</osmChange>\n`))
  return path
}

export interface Applied {
  readonly path: string
  readonly report: AppliedChanges
}

export async function apply(
  file: string,
  changes: readonly string[],
  options: Partial<ApplyOptions> = {},
): Promise<Applied> {
  const path = newPath('.osm.pbf')
  return { path, report: await applyChanges({ file, changes, output: path, within: 'anywhere', ...options }) }
}

/** A line of osmium's text format for each element. */
export const opl = (path: string): string[] =>
  execFileSync('osmium', ['cat', path, '-f', 'opl', '--no-progress'], { encoding: 'utf8', maxBuffer: 2 ** 30 })
    .trimEnd()
    .split('\n')
    .filter((line) => line !== '')

/** The file that osmium makes of the same. */
export function osmiumApply(file: string, changes: readonly string[]): string {
  const path = newPath('.osm.pbf')
  execFileSync('osmium', ['apply-changes', file, ...changes, '-o', path, '--no-progress'])
  return path
}

export const bytesOf = (path: string): Buffer => readFileSync(path)

/** The same elements, with a message for each node. */
export function withoutDenseNodes(file: string): string {
  const path = newPath('.osm.pbf')
  execFileSync('osmium', ['cat', file, '-o', path, '-f', 'pbf,pbf_dense_nodes=false', '--no-progress'])
  return path
}
