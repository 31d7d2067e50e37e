import { createCaptioner } from '@skyscript/captioner'
import { type Box, toFeatureLine } from '@skyscript/core'
import { extract } from '@skyscript/osm-extract'
import { formatCount } from '../terminal/terminal.ts'
import { writeLine } from './lines.ts'
import { openTerminal } from './region.ts'

/** `skyscript extract`: GeoJSON text sequence lines on stdout, counts on stderr. */
export async function extractCommand(file: string, options: { allTagged?: boolean; clip?: Box }): Promise<number> {
  const terminal = openTerminal()
  const captioner = createCaptioner()
  const extraction = extract(file, {
    wanted: options.allTagged ? 'all' : captioner.visibleTags,
    clip: options.clip ?? null,
  })
  let objects = 0
  for await (const object of extraction) {
    await writeLine(process.stdout, toFeatureLine(object))
    objects++
  }
  const { dropped } = extraction.report()
  terminal.note(`${formatCount(objects)} objects`)
  for (const [reason, n] of dropped) terminal.note(`left out, ${reason}: ${formatCount(n)}`)
  return 0
}
