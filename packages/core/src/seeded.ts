import { hash } from 'node:crypto'

/**
 * A repeatable "random" number: the same seed, purpose and id give the same value on every machine and in every order.
 * Every choice in the pipeline (shift, node of a line, folder, split) is drawn this way, each with a purpose of its
 * own, so that two choices about one object are independent.
 *
 * @param purpose what is being chosen, such as `shift-x`
 * @param id what it is chosen for, such as `n123`
 * @returns a number in [0, 1) with 48 random bits
 */
export function seededFraction(seed: number, purpose: string, id: string): number {
  // Bytes as characters: making a buffer of them would take longer than the hash.
  const digest = hash('sha256', `${seed}\n${purpose}\n${id}`, 'binary')
  let bits = 0
  for (let i = 0; i < 6; i++) bits = bits * 256 + digest.charCodeAt(i)
  return bits / 2 ** 48
}

/** A repeatable choice among `count` things: an integer in [0, count). */
export function seededIndex(seed: number, purpose: string, id: string, count: number): number {
  return Math.floor(seededFraction(seed, purpose, id) * count)
}
