import { formatCount, formatCounted } from '@skyscript/core'
import { argumentList, clipBox, defineCommand, flag, instant, option, positiveInteger } from '../command.ts'

export const extract = defineCommand({
  name: 'extract',
  description: 'write the objects of PBF files as a GeoJSON text sequence; several files are read as one map',
  arguments: { files: argumentList('<file.osm.pbf...>', 'OSM PBF files') },
  options: {
    allTagged: flag('--all-tagged', 'every tagged object, not only those visible from above'),
    clip: option('--clip <w,s,e,n>', 'only objects that intersect this box, in degrees', clipBox),
    at: option('--at <time>', 'the map of a date (its beginning in UTC) or time, from history files', instant),
    threads: option('--threads <n>', 'reader threads (default: one per core)', positiveInteger),
  },
  async run({ files, allTagged, at, clip, threads }) {
    const { createCaptioner } = await import('@skyscript/captioner')
    const osm = await import('@skyscript/osm-extract')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const { writeAll } = await import('../terminal/json-lines.ts')
    const terminal = openTerminal()
    const extraction = osm.extract(files, {
      wanted: allTagged ? 'all' : createCaptioner().verdicts(),
      clip: clip ?? null,
      at: at ?? null,
      ...(threads !== undefined && { threads }),
    })
    for await (const { bytes } of extraction.chunks()) await writeAll(process.stdout, bytes)
    const { emitted, dropped, newestEdit } = extraction.report()
    terminal.note(formatCounted(emitted.points + emitted.lines + emitted.areas, 'object'))
    const late = osm.lateWarning(at ?? null, newestEdit)
    if (late !== null) terminal.warn(late)
    for (const [reason, n] of dropped) terminal.note(`left out, ${reason}: ${formatCount(n)}`)
    return 0
  },
})
