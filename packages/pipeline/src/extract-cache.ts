import { redact } from '@skyscript/core'
import { openPbf, PbfFault } from '@skyscript/osm-extract'
import { checkPbfHead } from './check-extract.ts'
import { type CachedFile, type CacheOptions, cachedFile } from './url-cache.ts'

/**
 * The OSM extract of an http(s) URL, from the cache or downloaded.
 *
 * @throws InputError `not-a-pbf` for what is something else, a web page for example; as `cachedFile`
 */
export const cachedExtract = (url: string, options: CacheOptions): Promise<CachedFile> =>
  cachedFile(
    url,
    {
      folder: 'extracts',
      suffix: '.osm.pbf',
      checkHead(head, response) {
        checkPbfHead(head, response.headers.get('content-type'), redact(response.url || url))
      },
      checkWhole: pbfFault,
    },
    options,
  )

/** Whether the blobs fill the file: the only sign that a body without a length is complete. */
function pbfFault(path: string): string | null {
  const file = openPbf(path)
  try {
    file.index()
    return null
  } catch (error) {
    if (!(error instanceof PbfFault)) throw error
    return error.code === 'pbf-truncated'
      ? `the file ends within the blob at byte ${error.offset}`
      : `the file ${error.what} (at byte ${error.offset})`
  } finally {
    file.close()
  }
}
