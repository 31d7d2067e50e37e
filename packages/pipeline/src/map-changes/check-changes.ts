import { AUTO_CHANGES, type Config, isUrl, redact } from '@skyscript/core'
import { defaultModelCache } from '../models.ts'
import { checkChangeFile } from './change-files.ts'
import { checkServer } from './follow-server.ts'

/**
 * What looks at the changes of the settings, one for each file or server: each gives what it found, or throws what a build
 * would throw. Extracts by URL are asked for their server when a build has them.
 */
export function checkChanges(
  { source, changes }: Config['osm'],
  { signal }: { readonly signal: AbortSignal },
): readonly (() => Promise<string>)[] {
  const listOf = (texts: string | readonly string[]) => (typeof texts === 'string' ? [texts] : texts)
  if (changes === undefined) return []
  if (changes === AUTO_CHANGES) {
    const options = { cacheFolder: defaultModelCache(), signal }
    return listOf(source).map((path) => async () => (isUrl(path) ? redact(path) : checkServer(path, options)))
  }
  return listOf(changes).map((file) => async () => {
    await checkChangeFile(file)
    return redact(file)
  })
}
