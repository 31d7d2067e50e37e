/** A growing buffer of protocol buffer fields (https://protobuf.dev/programming-guides/encoding/). */
export class ProtoWriter {
  #bytes = new Uint8Array(1024)
  #length = 0

  /** An int32, int64, uint32, uint64, bool or enum field. Negative values take ten bytes, as the format asks. */
  integer(field: number, value: number): this {
    this.#tag(field, 0)
    this.#varint(value)
    return this
  }

  /** A sint32 or sint64 field (zigzag). */
  signed(field: number, value: number): this {
    this.#tag(field, 0)
    this.#varint(zigzag(value))
    return this
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    this.#tag(field, 5)
    this.#raw(new Uint8Array(new Float32Array([value]).buffer))
    return this
  }

  /** A bytes field, or a string field as UTF-8. */
  bytes(field: number, value: Uint8Array | string): this {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
    this.#tag(field, 2)
    this.#varint(bytes.length)
    this.#raw(bytes)
    return this
  }

  /** An embedded message. */
  message(field: number, fill: (inner: ProtoWriter) => void): this {
    const inner = new ProtoWriter()
    fill(inner)
    return this.bytes(field, inner.finish())
  }

  /** Packed integers; none at all where the list is empty. */
  packed(field: number, values: Iterable<number>): this {
    return this.#packed(field, values, (value) => value)
  }

  /** Packed zigzag integers; none at all where the list is empty. */
  packedSigned(field: number, values: Iterable<number>): this {
    return this.#packed(field, values, zigzag)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length)
  }

  #packed(field: number, values: Iterable<number>, encode: (value: number) => number): this {
    const inner = new ProtoWriter()
    for (const value of values) inner.#varint(encode(value))
    return inner.#length === 0 ? this : this.bytes(field, inner.finish())
  }

  #tag(field: number, wireType: 0 | 2 | 5): void {
    this.#varint(field * 8 + wireType)
  }

  #varint(value: number): void {
    if (!Number.isSafeInteger(value)) throw new TypeError(`${value} can't be written as an integer field.`)
    this.#reserve(10)
    let rest = value < 0 ? BigInt.asUintN(64, BigInt(value)) : value
    while (typeof rest === 'bigint') {
      if (rest < 0x80n) rest = Number(rest)
      else {
        this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80
        rest >>= 7n
      }
    }
    // Division, because shifts cut numbers to 32 bits and OSM ids and nanodegrees are longer.
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  #raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  #reserve(extra: number): void {
    if (this.#length + extra <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + extra))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
  }
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value)

/** Each value less the one before it; the first less 0. */
export function* deltas(values: Iterable<number>): Generator<number> {
  let previous = 0
  for (const value of values) {
    yield value - previous
    previous = value
  }
}
