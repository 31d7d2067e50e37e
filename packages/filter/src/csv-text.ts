const [COMMA, QUOTE, LINE_FEED, CARRIAGE_RETURN] = [0x2c, 0x22, 0x0a, 0x0d]
const [ZERO, POINT, MINUS] = [0x30, 0x2e, 0x2d]
const BACKSLASH = 0x5c
/** Control characters come before it; JSON strings must not contain them unescaped. */
const FIRST_PRINTABLE = 0x20
const FIRST_SIZE = 1 << 16
/** Bytes of the longest number with its separators. */
const NUMBER_BYTES = 24

/**
 * Builds CSV rows as bytes: fields are UTF-8 and quoted only if needed (RFC 4180). A lone carriage return is quoted too,
 * because Python's csv module and pandas treat it as the end of a row.
 *
 * Written for this package because a pair's fields arrive as bytes from the manifest and go into several files:
 * csv-stringify takes six times as long.
 */
export interface CsvText {
  /** The bytes added since the last `clear`, as a view. */
  readonly view: Uint8Array<ArrayBuffer>
  readonly rows: number
  /** Adds fields, separated by commas. */
  fields(fields: readonly Uint8Array[]): void
  /** Adds the bytes of another text. */
  text(bytes: Uint8Array): void
  /** Adds a comma, and millionths as a decimal number. */
  millionths(value: number): void
  /** Adds a text as a JSON string, with its quotes. */
  json(from: Uint8Array): void
  endRow(): void
  clear(): void
}

/** @param size expected number of bytes */
export function createCsvText(size = FIRST_SIZE): CsvText {
  let bytes = new Uint8Array(size)
  let length = 0
  let rows = 0

  const reserve = (more: number) => {
    if (length + more <= bytes.length) return
    const larger = new Uint8Array(Math.max(2 * bytes.length, length + more))
    larger.set(bytes.subarray(0, length))
    bytes = larger
  }
  const field = (from: Uint8Array) => {
    reserve(2 * from.length + 3)
    const out = bytes
    let at = length
    for (let i = 0; i < from.length; i++) {
      const byte = from[i]!
      if (byte === COMMA || byte === QUOTE || byte === LINE_FEED || byte === CARRIAGE_RETURN) return quoted(from)
      out[at++] = byte
    }
    length = at
  }
  const quoted = (from: Uint8Array) => {
    const out = bytes
    let at = length
    out[at++] = QUOTE
    for (let i = 0; i < from.length; i++) {
      const byte = from[i]!
      if (byte === QUOTE) out[at++] = QUOTE
      out[at++] = byte
    }
    out[at++] = QUOTE
    length = at
  }

  return {
    get view() {
      return bytes.subarray(0, length)
    },
    get rows() {
      return rows
    },
    fields(list) {
      for (let i = 0; i < list.length; i++) {
        if (i > 0) bytes[length++] = COMMA
        field(list[i]!)
        reserve(1)
      }
    },
    text(other) {
      reserve(other.length)
      bytes.set(other, length)
      length += other.length
    },
    millionths(value) {
      reserve(NUMBER_BYTES)
      bytes[length++] = COMMA
      if (value < 0) bytes[length++] = MINUS
      const whole = Math.floor(Math.abs(value) / 1e6)
      let rest = Math.abs(value) - whole * 1e6
      bytes[length++] = ZERO + whole
      if (rest > 0) bytes[length++] = POINT
      for (let unit = 1e5; rest > 0; unit /= 10) {
        const digit = Math.floor(rest / unit)
        bytes[length++] = ZERO + digit
        rest -= digit * unit
      }
    },
    json(from) {
      reserve(6 * from.length + 2)
      bytes[length++] = QUOTE
      for (let i = 0; i < from.length; i++) {
        const byte = from[i]!
        if (byte < FIRST_PRINTABLE) for (const digit of escaped(byte)) bytes[length++] = digit
        else {
          if (byte === QUOTE || byte === BACKSLASH) bytes[length++] = BACKSLASH
          bytes[length++] = byte
        }
      }
      bytes[length++] = QUOTE
    },
    endRow() {
      reserve(1)
      bytes[length++] = LINE_FEED
      rows++
    },
    clear() {
      length = 0
      rows = 0
    },
  }
}

const escaped = (byte: number): Uint8Array => Buffer.from(`\\u00${byte.toString(16).padStart(2, '0')}`)
