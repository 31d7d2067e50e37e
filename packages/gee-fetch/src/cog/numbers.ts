/** Converts the bytes of a tile or strip to numbers, for any size, format, byte order and predictor (TIFF 6.0, sections 7, 14, 19). */

export interface NumberLayout {
  /** Bits per number. */
  readonly bits: number
  /** SampleFormat: 1 unsigned, 2 signed, 3 floating point, 4 unknown. */
  readonly format: number
  readonly littleEndian: boolean
  /** 1 none, 2 differences, 3 differences of the bytes of floating-point numbers. */
  readonly predictor: number
  /** Numbers per pixel, pixels per row, and rows. */
  readonly samples: number
  readonly width: number
  readonly height: number
}

const FORMATS: Readonly<Record<number, string>> = { 1: 'unsigned', 2: 'signed', 3: 'floating-point', 4: 'unsigned' }

/** @throws Error that names the unsupported format */
export function checkNumbers({ bits, format, predictor }: Pick<NumberLayout, 'bits' | 'format' | 'predictor'>): void {
  const kind = FORMATS[format]
  if (kind === undefined) throw new Error(`its numbers are of sample format ${format} (complex), which isn't read`)
  const isWhole = [8, 16, 32, 64].includes(bits)
  const isRead =
    kind === 'floating-point' ? [16, 32, 64].includes(bits) : isWhole || (kind === 'unsigned' && bits > 0 && bits < 32)
  if (!isRead) throw new Error(`its ${kind} numbers have ${bits} bits, which aren't read`)
  const isUndone = predictor === 1 || (predictor === 2 && isWhole) || (predictor === 3 && kind === 'floating-point')
  if (!isUndone) throw new Error(`its ${kind} numbers of ${bits} bits have predictor ${predictor}, which isn't read`)
}

/** Bytes per row; each row begins on a byte boundary. */
export const lineBytes = ({ bits, samples, width }: Pick<NumberLayout, 'bits' | 'samples' | 'width'>): number =>
  Math.ceil((bits * samples * width) / 8)

/** Numbers in whichever form a file has them. */
export type Numbers = ArrayLike<number> & { readonly byteLength: number }

/**
 * The numbers of the block, row by row, pixel by pixel.
 *
 * @param unpacked changed in place; may be longer than the block
 * @throws Error if bytes are missing
 */
export function numbersOf(unpacked: Uint8Array, layout: NumberLayout): Numbers {
  // A Buffer's `slice` would share memory.
  const bytes = new Uint8Array(unpacked.buffer, unpacked.byteOffset, unpacked.length)
  const { bits, format, littleEndian, predictor, samples, width, height } = layout
  const line = lineBytes(layout)
  if (bytes.length < line * height) throw new Error(`a tile holds ${bytes.length} of ${line * height} bytes`)
  const size = bits / 8
  if (![1, 2, 4, 8].includes(size)) return packedNumbers(bytes, layout)
  // Typed arrays must start at a multiple of their element size.
  const exact = bytes.byteOffset % size === 0 ? bytes.subarray(0, line * height) : bytes.slice(0, line * height)
  if (predictor === 3)
    for (let y = 0; y < height; y++) undoFloats(exact.subarray(y * line, (y + 1) * line), samples, size)
  else if (!littleEndian) swapBytes(exact, size)
  if (predictor === 2) undoDifferences(exact, size, samples, samples * width)
  return typed(exact, size, format)
}

function typed({ buffer, byteOffset, length }: Uint8Array, size: number, format: number): Numbers {
  const count = length / size
  if (format === 3) {
    if (size === 2) return new Float16Array(buffer as ArrayBuffer, byteOffset, count)
    return size === 4 ? new Float32Array(buffer, byteOffset, count) : new Float64Array(buffer, byteOffset, count)
  }
  const isSigned = format === 2
  if (size === 1) return isSigned ? new Int8Array(buffer, byteOffset, count) : new Uint8Array(buffer, byteOffset, count)
  if (size === 2)
    return isSigned ? new Int16Array(buffer, byteOffset, count) : new Uint16Array(buffer, byteOffset, count)
  if (size === 4)
    return isSigned ? new Int32Array(buffer, byteOffset, count) : new Uint32Array(buffer, byteOffset, count)
  const wide = isSigned ? new BigInt64Array(buffer, byteOffset, count) : new BigUint64Array(buffer, byteOffset, count)
  return Float64Array.from(wide, Number)
}

function swapBytes(bytes: Uint8Array, size: number): void {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  if (size === 2) all.swap16()
  else if (size === 4) all.swap32()
  else if (size === 8) all.swap64()
}

/** Each number is the difference to the previous pixel's, as integers in any format. */
function undoDifferences({ buffer, byteOffset, length }: Uint8Array, size: number, step: number, line: number): void {
  const count = length / size
  if (size === 8) {
    const wide = new BigUint64Array(buffer, byteOffset, count)
    for (let i = 0; i < count; i++) if (i % line >= step) wide[i] = wide[i]! + wide[i - step]!
    return
  }
  const values =
    size === 1
      ? new Uint8Array(buffer, byteOffset, count)
      : size === 2
        ? new Uint16Array(buffer, byteOffset, count)
        : new Uint32Array(buffer, byteOffset, count)
  for (let start = 0; start < count; start += line)
    for (let i = start + step; i < start + line; i++) values[i] = values[i]! + values[i - step]!
}

/** Technical note 3 of TIFF: a row's bytes grouped by significance, highest first, each as the difference to the previous pixel. */
function undoFloats(line: Uint8Array, step: number, size: number): void {
  for (let i = step; i < line.length; i++) line[i] = line[i]! + line[i - step]!
  const planes = line.slice()
  const count = line.length / size
  for (let i = 0; i < count; i++)
    for (let byte = 0; byte < size; byte++) line[i * size + byte] = planes[(size - 1 - byte) * count + i]!
}

/**
 * Numbers that share bytes, highest bit first. In big-endian files the bytes of 24-bit numbers are reversed: GDAL writes
 * them so, since libtiff swaps them.
 */
function packedNumbers(bytes: Uint8Array, layout: NumberLayout): Uint32Array {
  const { bits, littleEndian, samples, width, height } = layout
  const numbers = new Uint32Array(samples * width * height)
  const line = lineBytes(layout)
  const perLine = samples * width
  for (let y = 0; y < height; y++) {
    for (let i = 0; i < perLine; i++) {
      const at = i * bits
      const first = y * line + (at >> 3)
      if (bits === 24 && !littleEndian) {
        numbers[y * perLine + i] = bytes[first]! | (bytes[first + 1]! << 8) | (bytes[first + 2]! << 16)
        continue
      }
      // A number can touch five bytes, more than a 32-bit integer holds.
      const last = y * line + ((at + bits - 1) >> 3)
      let held = 0
      for (let byte = first; byte <= last; byte++) held = held * 256 + bytes[byte]!
      const spare = 8 * (last - first + 1) - (at & 7) - bits
      numbers[y * perLine + i] = Math.floor(held / 2 ** spare) % 2 ** bits
    }
  }
  return numbers
}
