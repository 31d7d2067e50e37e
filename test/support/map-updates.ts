/** The small town in a folder, and a server of its changes, for tests of how the map is brought up to date. */
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect } from 'vitest'
import { extract, readHeader } from '../../packages/osm-extract/src/index.ts'
import { withSources } from '../../packages/pipeline/src/inputs.ts'
import { inputOf, type SourceFile } from '../../packages/pipeline/src/source-file.ts'
import { openStorage } from '../../packages/worker/src/storages/storages.ts'
import { createTerminal } from '../../packages/worker/src/terminal/terminal.ts'
import { DAYS, day, type Replication, startReplication, townOf } from './replication.ts'
import { makeFolder, sha256 } from './skyscript.ts'

/** What an update made. */
export interface Updated {
  readonly sha256: string
  /** What the lock says of the extract. */
  readonly input: ReturnType<typeof inputOf>
  readonly newFiles: number
  /** Of the map, as `id: tags @place`. */
  readonly objects: readonly string[]
  /** Hash of the map's file. */
  readonly bytes: string
}

export interface UpdateOptions {
  readonly cache?: string
  readonly signal?: AbortSignal
  readonly source?: string | string[]
}

export interface MapUpdates {
  readonly server: Replication
  /** Of a file in the folder. */
  at(...names: string[]): string
  /** Publishes what happened on some days: the first is the 2nd of January, number 101. */
  publish(first: number, last: number): void
  update(changes?: string | string[], options?: UpdateOptions): Promise<Updated>
  /** What an update throws. */
  refused(changes?: string | string[], options?: UpdateOptions): Promise<Error & { code: string }>
  /** Change files that the server was asked for. */
  asked(): string[]
  /** What updates said. */
  said(): string
}

/** For each test of the file that calls it, a new folder and server. */
export function useMapUpdates(): MapUpdates {
  let started: Awaited<ReturnType<typeof startMapUpdates>>
  beforeEach(async () => {
    started = await startMapUpdates()
  })
  afterEach(() => started?.close())
  return {
    get server() {
      return started.server
    },
    at: (...names) => started.at(...names),
    publish: (...days) => started.publish(...days),
    update: (...given) => started.update(...given),
    refused: (...given) => started.refused(...given),
    asked: () => started.asked(),
    said: () => started.said(),
  }
}

async function startMapUpdates(): Promise<MapUpdates & { close(): Promise<void> }> {
  const folder = await makeFolder('map-updates')
  const server = await startReplication()
  const at = (...names: string[]) => join(folder.path, ...names)
  let said = ''
  await writeFile(at('town.osm.pbf'), townOf(server.url))
  const update: MapUpdates['update'] = (changes = 'auto', options = {}) => {
    const { cache = 'cache', signal = new AbortController().signal, source = at('town.osm.pbf') } = options
    const terminal = createTerminal({ write: (text) => (said += text) })
    return withSources(
      { source, clip: null, changes },
      { signal, openStorage, terminal, cacheFolder: at(cache), pauseMs: 5 },
      async ([file]) => seen(file!),
    )
  }
  return {
    ...{ server, at, update },
    publish(first, last) {
      for (let i = first; i <= last; i++) server.publish(100 + i, day(1 + i), DAYS[i - 1]!)
    },
    refused: (changes, options) =>
      update(changes, options).then(
        () => expect.unreachable(),
        (error) => error,
      ),
    asked: () => server.asked.filter((path) => path.endsWith('.osc.gz')),
    said: () => said,
    async close() {
      await server.close()
      await folder.remove()
    },
  }
}

async function seen(file: SourceFile): Promise<Updated> {
  return {
    sha256: file.sha256,
    input: inputOf(file, readHeader(file.path)),
    newFiles: file.updated!.newFiles,
    objects: await objectsOf(file.path),
    bytes: sha256(readFileSync(file.path)),
  }
}

export async function objectsOf(map: string): Promise<string[]> {
  const objects: string[] = []
  for await (const { id, tags, geometry } of extract(map, { wanted: 'all' }))
    objects.push(`${id}: ${JSON.stringify(tags)} @${JSON.stringify(geometry.coordinates)}`)
  return objects.sort()
}
