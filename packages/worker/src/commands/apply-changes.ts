import type { Box, Geometry } from '@skyscript/core'
import {
  argument,
  argumentList,
  boxOrText,
  defineCommand,
  jsonOption,
  option,
  positiveInteger,
  required,
  withDefault,
} from '../command.ts'

export const applyChanges = defineCommand({
  name: 'apply-changes',
  description:
    'apply OsmChange files (.osc, .osc.gz), in any order, to a PBF file: the newest version of an element counts',
  arguments: {
    file: argument('<file.osm.pbf>', 'PBF file, sorted by type and id'),
    changes: argumentList('<changes...>', 'OsmChange files'),
  },
  options: {
    output: required(option('-o, --output <file>', 'the new PBF file; may be the old one')),
    within: withDefault(
      option(
        '--within <where>',
        "where new elements may come in: anywhere, extract (the box in the file's header), w,s,e,n, or a GeoJSON file with polygons",
        boxOrText,
      ),
      'anywhere',
    ),
    threads: option('--threads <n>', 'reader threads (default: one per core)', positiveInteger),
    json: jsonOption,
  },
  async run({ file, changes, output, within, threads, json }) {
    const osm = await import('@skyscript/osm-extract')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const { interruptible } = await import('../runs/interruptible.ts')
    const { noteChanges } = await import('../osm-changes.ts')
    const terminal = openTerminal()
    const area = await areaOf(within)
    const stage = terminal.stage('apply', 'bytes')
    const applied = await interruptible(terminal, 'start over', ({ signal }) =>
      osm.applyChanges({
        ...{ file, changes, output, within: area, signal, progress: stage },
        ...(threads !== undefined && { threads }),
      }),
    ).catch((error) => {
      stage.end('failed')
      throw error
    })
    stage.end(output)
    noteChanges(terminal, applied)
    if (json) process.stdout.write(`${JSON.stringify({ ...applied, ignored: Object.fromEntries(applied.ignored) })}\n`)
  },
})

async function areaOf(within: Box | string): Promise<'anywhere' | 'extract' | Box | Geometry> {
  if (within === 'anywhere' || within === 'extract' || typeof within !== 'string') return within
  const { readClip } = await import('@skyscript/pipeline')
  return (await readClip(within, '--within'))!
}
