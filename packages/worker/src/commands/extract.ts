import { formatCount, formatCounted, InputError, type Terminal } from '@skyscript/core'
import { argumentList, clipBox, defineCommand, flag, instant, option, positiveInteger, textList } from '../command.ts'

export const extract = defineCommand({
  name: 'extract',
  description: 'write the objects of PBF files as a GeoJSON text sequence; several files are read as one map',
  arguments: { files: argumentList('<file.osm.pbf...>', 'OSM PBF files') },
  options: {
    allTagged: flag('--all-tagged', 'every tagged object, not only those visible from above'),
    clip: option('--clip <w,s,e,n>', 'only objects that intersect this box, in degrees', clipBox),
    at: option('--at <time>', 'the map of a date (its beginning in UTC) or time, from history files', instant),
    changes: option('--changes <a,b>', 'OsmChange files (.osc, .osc.gz) to apply first, in any order', textList),
    threads: option('--threads <n>', 'reader threads (default: one per core)', positiveInteger),
  },
  async run({ files, allTagged, at, clip, changes, threads }) {
    const { createCaptioner } = await import('@skyscript/captioner')
    const osm = await import('@skyscript/osm-extract')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const { writeAll } = await import('../terminal/json-lines.ts')
    const { interruptible } = await import('../runs/interruptible.ts')
    const terminal = openTerminal()
    const write = async (readable: readonly string[], signal?: AbortSignal) => {
      const extraction = osm.extract(readable, {
        wanted: allTagged ? 'all' : createCaptioner().verdicts(),
        clip: clip ?? null,
        at: at ?? null,
        ...(threads !== undefined && { threads }),
      })
      for await (const { bytes } of extraction.chunks()) {
        signal?.throwIfAborted()
        await writeAll(process.stdout, bytes)
      }
      return extraction.report()
    }
    // What was written to apply the changes is removed also after an interrupt.
    const report =
      changes === undefined
        ? await write(files)
        : await interruptible(terminal, 'start over', async ({ signal }) => {
            await using changed = await withChanges(files, changes, at, terminal, signal)
            return write(changed.files, signal)
          })
    const { emitted, dropped, newestEdit } = report
    terminal.note(formatCounted(emitted.points + emitted.lines + emitted.areas, 'object'))
    const late = osm.lateWarning(at ?? null, newestEdit)
    if (late !== null) terminal.warn(late)
    for (const [reason, n] of dropped) terminal.note(`left out, ${reason}: ${formatCount(n)}`)
  },
})

/** The files with changes applied, as temporary files. @throws InputError as `applyChanges` */
async function withChanges(
  files: readonly string[],
  changes: readonly string[],
  at: unknown,
  terminal: Terminal,
  signal: AbortSignal,
) {
  if (at !== undefined)
    throw new InputError('bad-option', '--changes has no effect on the map of a time; give --changes or --at.')
  const { mkdtemp, rm } = await import('node:fs/promises')
  const { tmpdir } = await import('node:os')
  const { join } = await import('node:path')
  const osm = await import('@skyscript/osm-extract')
  const { noteChanges } = await import('../osm-changes.ts')
  const folder = await mkdtemp(join(tmpdir(), 'skyscript-changes-'))
  const remove = () => rm(folder, { recursive: true, force: true })
  try {
    const changed: string[] = []
    for (const [i, file] of files.entries()) {
      const output = join(folder, `${i}.osm.pbf`)
      noteChanges(terminal, await osm.applyChanges({ file, changes, output, within: 'anywhere', signal }))
      changed.push(output)
    }
    return { files: changed, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}
