import { openPbf } from './blobs.ts'
import { type PbfHeader, parseHeader } from './header.ts'

/**
 * Reads the header of a PBF file, and nothing after it.
 *
 * @throws InputError `missing-file`, `history-file` or `unsupported-feature`; PbfFault
 */
export function readHeader(path: string): PbfHeader {
  const file = openPbf(path)
  try {
    const blob = file.first()
    return parseHeader(file.read(blob), { path, offset: blob.offset })
  } finally {
    file.close()
  }
}
