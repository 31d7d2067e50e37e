/** Sum of products. Four sums side by side: a single sum would wait for every addition and take twice as long. */
export function dot(a: Float64Array, b: Float64Array): number {
  let s0 = 0
  let s1 = 0
  let s2 = 0
  let s3 = 0
  const whole = a.length - (a.length % 4)
  for (let j = 0; j < whole; j += 4) {
    s0 += a[j]! * b[j]!
    s1 += a[j + 1]! * b[j + 1]!
    s2 += a[j + 2]! * b[j + 2]!
    s3 += a[j + 3]! * b[j + 3]!
  }
  for (let j = whole; j < a.length; j++) s0 += a[j]! * b[j]!
  return s0 + s1 + (s2 + s3)
}

/** Adds `scale` times a vector to another of its length. */
export function addScaled(target: Float64Array, by: Float64Array, scale: number): void {
  for (let j = 0; j < target.length; j++) target[j]! += scale * by[j]!
}
