/**
 * Repeatable "random" numbers for pictures: 32-bit mixing, fast enough for every pixel. (`seededFraction` of core hashes
 * text with SHA-256, a thousand times slower.)
 */

/** Mixes an integer into a seed; the rounds of MurmurHash3. */
export function mix(seed: number, value: number): number {
  let k = Math.imul(value | 0, 0xcc9e2d51)
  k = (k << 15) | (k >>> 17)
  let h = (seed ^ Math.imul(k, 0x1b873593)) | 0
  h = (Math.imul((h << 13) | (h >>> 19), 5) + 0xe6546b64) | 0
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

/** A number in [0, 1). */
export function fraction(seed: number, value: number): number {
  return (mix(seed, value) >>> 0) / 4_294_967_296
}

/** A number in [0, 1) from two integers. */
export function fraction2(seed: number, a: number, b: number): number {
  return (mix(mix(seed, a), b) >>> 0) / 4_294_967_296
}

/** The seed that a text gives. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return mix(hash, text.length)
}
