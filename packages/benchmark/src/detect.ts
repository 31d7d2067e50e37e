/** How well one class is told from everything else by a threshold on the cosine. */
export interface Detection {
  readonly n: number
  /** Images that show the class. */
  readonly positives: number
  /** Of the original's 101 thresholds from -1 to 1 the first with the best F1; 0 if none has one. */
  readonly threshold: number
  readonly f1: number
  readonly precision: number
  readonly recall: number
  /** Average precision: the mean precision at each positive image, those of equal cosine taken together. */
  readonly average_precision: number
}

const THRESHOLDS = 101
/** The original adds it to numerators and denominators. */
const TINY = 1e-9

/**
 * @param cosines similarity of each image to the class
 * @param shown whether an image shows it
 */
export function detect(cosines: readonly number[], shown: readonly boolean[]): Detection {
  const positives = shown.filter(Boolean).length
  let best = { threshold: 0, f1: 0, precision: 0, recall: 0 }
  for (let i = 0; i < THRESHOLDS; i++) {
    const threshold = i === THRESHOLDS - 1 ? 1 : -1 + i * (2 / (THRESHOLDS - 1))
    let [taken, right] = [0, 0]
    for (const [j, cosine] of cosines.entries()) {
      if (Math.fround(cosine) < Math.fround(threshold)) continue
      taken++
      if (shown[j]) right++
    }
    const precision = (right + TINY) / (taken + TINY)
    const recall = (right + TINY) / (positives + TINY)
    const f1 = (2 * (precision * recall)) / (precision + recall + TINY)
    if (f1 > best.f1) best = { threshold, f1, precision, recall }
  }
  return { n: cosines.length, positives, ...best, average_precision: averagePrecision(cosines, shown, positives) }
}

function averagePrecision(cosines: readonly number[], shown: readonly boolean[], positives: number): number {
  const order = cosines.map((_, i) => i).sort((a, b) => cosines[b]! - cosines[a]!)
  let [sum, right] = [0, 0]
  for (let at = 0; at < order.length; ) {
    const before = right
    const cosine = cosines[order[at]!]
    for (; at < order.length && cosines[order[at]!] === cosine; at++) if (shown[order[at]!]) right++
    sum += ((right - before) * right) / at
  }
  return positives === 0 ? 0 : sum / positives
}
