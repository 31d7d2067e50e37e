import { type Band, numpyType } from './band.ts'

/**
 * Header of an .npy file, version 1.0, of one structured value per pixel: {'descr': [('R', '|u1'), ...],
 * 'fortran_order': False, 'shape': (height, width), }, padded so that the data starts at a multiple of 64 bytes
 * (NumPy, format.py).
 */
export function npyHeader(bands: readonly Band[], width: number, height: number): Buffer {
  const fields = bands.map(({ name, type }) => `(${pythonText(name)}, '${numpyType(type).descr}')`)
  const text = `{'descr': [${fields.join(', ')}], 'fortran_order': False, 'shape': (${height}, ${width}), }`
  const preamble = 10
  const length = Math.ceil((preamble + text.length + 1) / 64) * 64 - preamble
  const header = Buffer.alloc(preamble + length, ' ')
  header.write('\x93NUMPY\x01\x00', 0, 'latin1')
  header.writeUInt16LE(length, 8)
  header.write(text, preamble, 'latin1')
  header.write('\n', preamble + length - 1, 'latin1')
  return header
}

const pythonText = (text: string) => `'${text.replace(/[^\w -]/g, '_')}'`
