import { formatCounted, InputError, type Terminal } from '@skyscript/core'
import { noticesOf } from './change-counts.ts'
import type { Making, UpdatedMap, UpdatedMaps } from './updated-maps.ts'

/** Makes a map, shows the progress, and notes which changes had no effect and what is missing. */
export async function makeWithProgress(
  maps: UpdatedMaps,
  name: string,
  terminal: Terminal | undefined,
  making: Making,
): Promise<UpdatedMap> {
  const stage = terminal?.stage('apply', 'bytes')
  let isNew = false
  try {
    const map = await maps.make({
      ...making,
      ...(stage && { progress: stage }),
      onApplied(applied) {
        isNew = true
        for (const notice of noticesOf(applied, name)) terminal?.note(notice)
      },
    })
    stage?.end(isNew ? `${formatCounted(making.changes.length, 'change file')} to ${name}` : null)
    return map
  } catch (error) {
    stage?.end('failed')
    throw await namedBySource(error, making)
  }
}

/** A fault of a change file names where it came from; a faulty download is downloaded again by the next build. */
async function namedBySource(error: unknown, { changes }: Making): Promise<unknown> {
  if (!(error instanceof InputError)) return error
  const file = changes.find(({ path }) => error.message.startsWith(path))
  if (file === undefined) return error
  await file.forget()
  return new InputError(error.code, `${file.name}${error.message.slice(file.path.length)}`, { cause: error })
}
