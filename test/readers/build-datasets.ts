/** Builds the datasets that the readers load, and all exports of one of them, by the commands that users run. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { makeFolder, skyscript, writeRegion } from '../support/skyscript.ts'
import { startTown } from '../support/town.ts'

/** Folders. */
export interface Datasets {
  /** With val, test, two scorers and two cuts each, and `croissant.json` beside the manifest. */
  readonly town: string
  /** So small that not every image folder has an image. */
  readonly few: string
  /** Exports of the town. */
  readonly shards: string
  readonly zip: string
  readonly unpacked: string
  /** For what readers keep. */
  readonly cache: string
}

declare module 'vitest' {
  export interface ProvidedContext {
    datasets: Datasets
  }
}

const SHARD_BYTES = 100_000

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await makeFolder('readers')
  const at = (name: string) => join(folder.path, name)
  const run = async (...args: string[]) => {
    const { code, stderr } = await skyscript(args)
    if (code !== 0) throw new Error(`skyscript ${args.join(' ')} ended with ${code}:\n${stderr}`)
  }
  const town = await startTown(folder.path)
  try {
    const region = town.region(at('town'))
    const [scorer] = (region.filter as { scorers: object[] }).scorers
    const scorers = [scorer, { ...scorer, name: 'laion_RS' }]
    const filter = { scorers, top: [30, 50], val: 4, test: 5, split: { by: 'image', val: 20, test: 20 } }
    await run('build', await writeRegion(at('town.yaml'), { ...region, filter }))
    const few = {
      ...region,
      selection: { maxPerTag: 1 },
      osm: { ...(region.osm as object), clip: FEW },
      output: at('few'),
    }
    await run('build', await writeRegion(at('few.yaml'), few))
  } finally {
    await town.earthEngine.close()
  }
  const published = ['--url', 'https://example.org/town', '--published', '2026-01-31', '--creator', 'Town']
  await run('export', at('town'), '--format', 'croissant', '--to', at('town'), ...published)
  await run('export', at('town'), '--format', 'webdataset', '--to', at('shards'), '--shard-bytes', String(SHARD_BYTES))
  await run('export', at('town'), '--format', 'zip', '--to', at('zip'), ...published)
  await run('export', at('town'), '--format', 'zip', '--to', at('unpacked'))
  for (const file of globSync('*.zip', { cwd: at('unpacked') })) {
    const { status, stderr } = spawnSync('python3', ['-m', 'zipfile', '-e', join(at('unpacked'), file), at('unpacked')])
    if (status !== 0) throw new Error(`${file} can't be unpacked: ${stderr}`)
    await rm(join(at('unpacked'), file))
  }
  project.provide('datasets', {
    ...{ town: at('town'), few: at('few'), shards: at('shards') },
    ...{ zip: at('zip'), unpacked: at('unpacked'), cache: at('cache') },
  })
  return folder.remove
}

/** A corner of the town, in degrees. */
const FEW = [7.452, 46.72, 7.4532, 46.7208]
