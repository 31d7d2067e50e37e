import type { Box, Tags } from '@skyscript/core'
import { type ManifestFile, SIMILARITY } from '@skyscript/dataset'
import Flatbush from 'flatbush'

/** 64-bit perceptual hashes by image, in two columns. */
export interface Hashes {
  readonly high: Uint32Array
  readonly low: Uint32Array
}

/** Compares what images look like. */
export interface Looks {
  /** Collects hashes of 16 hex digits. */
  column(size: number): { add(hex: string): void; end(): Hashes }
  /** By image: index of the nearest of `others` that looks the same, or -1. */
  match(images: Hashes, others: Hashes): Int32Array
  /** By image: the first image of its group of look-alikes. */
  firstOf(images: Hashes): Uint32Array
}

/** A pair on the ground that benchmark sets may show. */
export interface Candidate {
  /** In the manifest. */
  readonly row: number
  readonly id: string
  /** Tags of its object that can be seen at its GSD. */
  readonly tags: Tags
  readonly phash: string
  /** By scorer. */
  readonly similarities: readonly number[]
  /** Why it is in no set, whatever it shows; null if it may be in one. */
  unfit: 'looks-like-training' | 'ground-of-training' | 'ground-of-test' | null
}

const EDGES = ['west', 'south', 'east', 'north'] as const
/** Overlaps thinner than this (degrees) come from rounding a shared edge. */
const SLIVER = 1e-9

/**
 * The pairs of a split, and which of them resemble training. Memory: some 500 bytes for every one of them, and 60 for every image of
 * training.
 *
 * @param options.checksGround compares boxes with those of train and val too, and of test if the pairs are not of test: for splits that
 *   divide no ground
 */
export async function readCandidates(
  manifest: ManifestFile,
  options: {
    readonly from: 'test' | 'benchmark'
    readonly scorers: readonly string[]
    readonly looks: Looks
    readonly checksGround: boolean
    readonly signal?: AbortSignal
  },
): Promise<Candidate[]> {
  const { from, scorers, looks, checksGround, signal } = options
  const columns = scorers.map((scorer) => SIMILARITY + scorer)
  const candidates: Candidate[] = []
  const boxes: Box[] = []
  const training = looks.column(manifest.rows)
  for (const [group, { from: first }] of manifest.groups.entries()) {
    signal?.throwIfAborted()
    const { split, phash } = (await manifest.readGroup(group, ['split', 'phash'])) as Record<string, string[]>
    for (const [i, part] of split!.entries()) if (isTraining(part)) training.add(phash![i]!)
    if (!split!.includes(from)) continue
    const read = await manifest.readGroup(group, ['id', 'center_tags', ...EDGES, ...columns])
    for (const [i, part] of split!.entries()) {
      if (part !== from) continue
      candidates.push({
        row: first + i,
        id: read.id![i] as string,
        tags: JSON.parse(read.center_tags![i] as string) as Tags,
        phash: phash![i]!,
        similarities: columns.map((name) => read[name]![i] as number),
        unfit: null,
      })
      boxes.push(EDGES.map((edge) => read[edge]![i]) as Box)
    }
  }
  if (candidates.length === 0) return candidates
  const matches = looks.match(hashesOf(candidates, looks), training.end())
  for (const [i, match] of matches.entries()) if (match >= 0) candidates[i]!.unfit = 'looks-like-training'
  if (checksGround) await markSharedGround(manifest, from, candidates, boxes, signal)
  return candidates
}

const isTraining = (split: string) => split === 'train' || split === 'val'

export function hashesOf(candidates: readonly Candidate[], looks: Looks): Hashes {
  const column = looks.column(candidates.length)
  for (const { phash } of candidates) column.add(phash)
  return column.end()
}

async function markSharedGround(
  manifest: ManifestFile,
  from: 'test' | 'benchmark',
  candidates: readonly Candidate[],
  boxes: readonly Box[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const tree = new Flatbush(boxes.length)
  for (const [west, south, east, north] of boxes) tree.add(west + SLIVER, south + SLIVER, east - SLIVER, north - SLIVER)
  tree.finish()
  for (const group of manifest.groups.keys()) {
    signal?.throwIfAborted()
    const read = await manifest.readGroup(group, ['split', ...EDGES])
    for (const [i, split] of (read.split as string[]).entries()) {
      const isOther = split === 'test' && split !== from
      if (!isTraining(split) && !isOther) continue
      const [west, south, east, north] = EDGES.map((edge) => read[edge]![i] as number)
      for (const found of tree.search(west!, south!, east!, north!))
        candidates[found]!.unfit ??= isOther ? 'ground-of-test' : 'ground-of-training'
    }
  }
}
