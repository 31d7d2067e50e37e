/** A running hash of 53 bits: it detects changes, and offers no protection against attackers. */
export interface Hasher {
  /** Bytes of a text; null and undefined are a value of their own. */
  text(bytes: Uint8Array | null | undefined): void
  number(value: number | null | undefined): void
  /** The hash of all that was added since the last call. */
  take(): number
}

const [SEED_A, SEED_B] = [0x811c9dc5, 0x9747b28c]
const [PRIME_A, PRIME_B] = [0xcc9e2d51, 0x5bd1e995]
/** Marks a missing value: no text has this length. */
const MISSING = -1

export function createHasher(): Hasher {
  let [a, b] = [SEED_A, SEED_B]
  const double = new Float64Array(1)
  const bytesOfDouble = new Uint8Array(double.buffer)
  const add = (bytes: Uint8Array) => {
    let x = a
    let y = b
    const whole = bytes.length & ~3
    for (let i = 0; i < whole; i += 4) {
      const word = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24)
      x = Math.imul(x ^ word, PRIME_A)
      x = (x << 13) | (x >>> 19)
      y = Math.imul(y ^ word, PRIME_B)
      y ^= y >>> 15
    }
    for (let i = whole; i < bytes.length; i++) {
      x = Math.imul(x ^ bytes[i]!, PRIME_A)
      y = Math.imul(y ^ bytes[i]!, PRIME_B)
      y ^= y >>> 15
    }
    a = x
    b = y
  }
  const number = (value: number | null | undefined) => {
    double[0] = value ?? Number.NaN
    add(bytesOfDouble)
  }
  return {
    text(bytes) {
      // Lengths keep the parts apart.
      number(bytes?.length ?? MISSING)
      if (bytes) add(bytes)
    },
    number,
    take() {
      const hash = (mixed(a) & 0x1fffff) * 2 ** 32 + (mixed(b ^ a) >>> 0)
      a = SEED_A
      b = SEED_B
      return hash
    },
  }
}

/** Spreads every bit over all others, as MurmurHash3 does at its end. */
function mixed(value: number): number {
  let mix = value ^ (value >>> 16)
  mix = Math.imul(mix, 0x85ebca6b)
  mix ^= mix >>> 13
  mix = Math.imul(mix, 0xc2b2ae35)
  return mix ^ (mix >>> 16)
}
