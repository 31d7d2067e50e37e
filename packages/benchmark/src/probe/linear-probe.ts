import { formatCounted, InputError, seededFraction } from '@skyscript/core'
import { Classification } from '../classify.ts'
import { type Example, fitLogistic } from './logistic-regression.ts'

/** An image to learn from. */
export interface Shot extends Example {
  /** Decides, with the seed, whether it is drawn: a hash of the image. */
  readonly id: string
}

export interface Probe {
  /** A vector for each class, for images to which `withOne` adds a number. */
  readonly vectors: readonly Float32Array[]
  /** Images that it learnt from. */
  readonly images: number
  /** The strength of the penalty is 1 / C. */
  readonly C: number
  /** Share of the images held out for the choice of C whose class was found. */
  readonly validation: number
}

const SEED = 51
/** Values of C that are tried, the strongest penalty first. */
const STRENGTHS = [-1, 0, 1, 2, 3, 4, 5, 6].map((power) => 10 ** power)
/** One image in this many of each class is held out for the choice of C, and at least one. */
const HELD_OUT = 4

/** A bias is the weight of a number that is always 1. */
export const withOne = (vector: Float32Array): Float32Array => Float32Array.of(...vector, 1)

/**
 * Learns to tell classes by their embeddings from at most `shots` images of each, drawn with a fixed seed. C is chosen by the
 * accuracy on a part of these images that it has not learnt from, and the last fit uses them all.
 *
 * @param names of the classes
 * @param shots 2 or more
 * @throws InputError `too-few-shots` if a class has fewer than 2 images
 */
export async function fitProbe(all: readonly Shot[], names: readonly string[], shots: number): Promise<Probe> {
  const placeOf = ({ id }: Shot) => seededFraction(SEED, 'probe', id)
  const drawn = names.map((name, label) => {
    const own = all.filter((shot) => shot.label === label)
    if (own.length < 2)
      throw new InputError(
        'too-few-shots',
        `The class "${name}" has ${formatCounted(own.length, 'training image')}; a probe needs at least 2 of each class.`,
      )
    return own.sort((a, b) => placeOf(a) - placeOf(b) || (a.id < b.id ? -1 : 1)).slice(0, shots)
  })
  const heldOut = drawn.flatMap((own) => own.slice(0, Math.max(1, Math.floor(own.length / HELD_OUT))))
  const learnt = drawn.flatMap((own) => own.slice(Math.max(1, Math.floor(own.length / HELD_OUT))))
  const tried = await fitLogistic(learnt, names.length, STRENGTHS)
  const accuracies = tried.map((vectors) => {
    const counting = new Classification(names, vectors)
    for (const { vector, label } of heldOut) counting.add(withOne(vector), label)
    return counting.accuracy().top1
  })
  const validation = Math.max(...accuracies)
  // The first is that of the strongest penalty.
  const C = STRENGTHS[accuracies.indexOf(validation)]!
  const used = drawn.flat()
  const [vectors] = await fitLogistic(used, names.length, [C])
  return { vectors: vectors!, images: used.length, C, validation }
}
