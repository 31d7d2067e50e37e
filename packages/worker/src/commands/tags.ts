import { createCaptioner } from '@skyscript/captioner'
import { z } from 'zod'
import { jsonLines, writeLine } from './lines.ts'
import { readOptionFile } from './region.ts'

const line = z.object({ key: z.string(), value: z.string() })

/** `skyscript tags`: one answer per line, in the input's order. */
export async function tagsCommand(options: { tags?: string }): Promise<number> {
  const captioner = createCaptioner(
    options.tags === undefined ? {} : { tags: await readOptionFile(options.tags, '--tags') },
  )
  for await (const { key, value } of jsonLines(process.stdin, line)) {
    await writeLine(process.stdout, JSON.stringify({ key, value, ...captioner.groundability(key, value) }))
  }
  return 0
}
