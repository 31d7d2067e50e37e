import { formatCounted, InputError, type Terminal } from '@skyscript/core'
import type { Making, UpdatedMap, UpdatedMaps } from './updated-maps.ts'

/** Makes a map, shows how it goes, and says what can't be known of it. */
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
      onApplied({ nodesOfUnknownWays, waysMissingNodes, created, modified, deleted }) {
        isNew = true
        const touched = [created, modified, deleted].reduce(
          (sum, each) => sum + each.nodes + each.ways + each.relations,
          0,
        )
        if (touched === 0) terminal?.note(`None of the changes concern ${name}`)
        if (nodesOfUnknownWays > 0)
          terminal?.note(
            `${formatCounted(nodesOfUnknownWays, 'node')} moved into ${name}; what they are part of is neither in it nor in the changes, so it is missing`,
          )
        if (waysMissingNodes > 0)
          terminal?.note(
            `${formatCounted(waysMissingNodes, 'changed way')} of ${name} lack nodes that neither it nor the changes have`,
          )
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
