import { openPbf } from './blobs.ts'
import { type PbfHeader, parseHeader } from './header.ts'

/**
 * Reads the header of a PBF file, and nothing after it.
 *
 * @param at see `parseHeader`
 * @throws InputError `missing-file`, `history-file`, `not-a-history` or `unsupported-feature`; PbfFault
 */
export function readHeader(path: string, at: string | null = null): PbfHeader {
  const file = openPbf(path)
  try {
    const blob = file.first()
    return parseHeader(file.read(blob), { path, offset: blob.offset }, at)
  } finally {
    file.close()
  }
}
