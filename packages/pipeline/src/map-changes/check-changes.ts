import { AUTO_CHANGES, type Config, isUrl, redact } from '@skyscript/core'
import { defaultModelCache } from '../models.ts'
import { checkChangeFile } from './change-files.ts'
import { checkServer } from './follow-server.ts'

/**
 * Checks of `osm.changes`, one for each file or extract: each returns what it found, or throws what a build would. An
 * extract by URL is not downloaded for it, so its server is checked only by a build.
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
