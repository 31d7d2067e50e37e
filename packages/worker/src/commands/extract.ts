import { createCaptioner } from '@skyscript/captioner'
import type { Box } from '@skyscript/core'
import { formatCount } from '@skyscript/core'
import { extract } from '@skyscript/osm-extract'
import { writeAll } from './lines.ts'
import { openTerminal } from './region.ts'

/** `skyscript extract`: GeoJSON text sequence lines on stdout, counts on stderr. */
export async function extractCommand(
  files: readonly string[],
  options: { allTagged?: boolean; clip?: Box; threads?: number },
): Promise<number> {
  const terminal = openTerminal()
  const captioner = createCaptioner()
  const extraction = extract(files, {
    wanted: options.allTagged ? 'all' : captioner.verdicts(),
    clip: options.clip ?? null,
    ...(options.threads !== undefined && { threads: options.threads }),
  })
  for await (const { bytes } of extraction.chunks()) await writeAll(process.stdout, bytes)
  const { emitted, dropped } = extraction.report()
  terminal.note(`${formatCount(emitted.points + emitted.lines + emitted.areas)} objects`)
  for (const [reason, n] of dropped) terminal.note(`left out, ${reason}: ${formatCount(n)}`)
  return 0
}
