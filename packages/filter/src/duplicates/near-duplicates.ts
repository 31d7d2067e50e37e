/** Perceptual hashes of 64 bits, by row. */
export interface Hashes {
  readonly high: Uint32Array
  readonly low: Uint32Array
}

/** Bits of 64 in which two hashes may differ that count as one picture. */
export const DISTANCE = 4

export function createHashColumn(size: number): { add(hex: string): void; end(): Hashes } {
  const high = new Uint32Array(size)
  const low = new Uint32Array(size)
  let row = 0
  return {
    add(hex) {
      high[row] = Number.parseInt(hex.slice(0, 8), 16)
      low[row++] = Number.parseInt(hex.slice(8), 16)
    },
    end: () => ({ high, low }),
  }
}

/** By row: index of the nearest benchmark image within DISTANCE, or -1. */
export function matchAgainst(hashes: Hashes, benchmark: Hashes): Int32Array {
  const bits = (x: number) => {
    let v = x - ((x >>> 1) & 0x55555555)
    v = (v & 0x33333333) + ((v >>> 2) & 0x33333333)
    return Math.imul((v + (v >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
  }
  return Int32Array.from(hashes.high, (high, row) => {
    let [best, least] = [-1, DISTANCE + 1]
    for (let i = 0; i < benchmark.high.length; i++) {
      const distance = bits(high ^ benchmark.high[i]!) + bits(hashes.low[row]! ^ benchmark.low[i]!)
      if (distance < least) [best, least] = [i, distance]
    }
    return best
  })
}
