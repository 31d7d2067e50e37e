import type { Storage } from '@skyscript/core'

/**
 * Deletes work products that the finished dataset doesn't need: results of older settings and of an older map. Only
 * after a whole build, so that what an unfinished one may still use stays.
 *
 * @param live keys to keep
 * @param folders key prefixes to keep
 */
export async function collectGarbage(
  storage: Storage,
  live: ReadonlySet<string>,
  folders: readonly string[],
): Promise<void> {
  for await (const { key } of storage.list('work/')) {
    if (!live.has(key) && !folders.some((folder) => key.startsWith(folder))) await storage.delete(key)
  }
}
