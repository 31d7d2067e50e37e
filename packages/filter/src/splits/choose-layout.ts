import type { Box } from '@skyscript/core'
import type { ManifestFile } from '@skyscript/dataset'
import { HELD_OUT_PARTS, type Shares } from './criterion.ts'
import { createSplitter, type Layout } from './index.ts'

const EDGES = ['west', 'south', 'east', 'north'] as const

/**
 * A declared extent is used if the images cover at least this share of its area: some extracts declare the whole
 * Earth.
 */
const LEAST_COVERED = 1 / 20
/** The extent of images is rounded outwards to this fraction of its longer side, so that a few more images don't change it. */
const ROUNDED_TO = 1 / 16

/**
 * The first layout under which every part that has a share has images; the first of all if there is none. Reads
 * no more row groups than needed.
 */
export async function chooseLayout(
  manifest: ManifestFile,
  layouts: readonly Layout[],
  shares: Shares,
  seed: number,
): Promise<Layout> {
  const [first] = layouts
  if (layouts.length === 1) return first!
  const open = layouts.map((layout) => ({
    layout,
    partOf: createSplitter(layout, seed),
    missing: new Set<string>(HELD_OUT_PARTS.filter((part) => shares[part] > 0)),
  }))
  for (let group = 0; group < manifest.groups.length && open[0]!.missing.size > 0; group++) {
    const columns = await manifest.readGroup(group, EDGES)
    const [west, south, east, north] = EDGES.map((name) => columns[name] as number[])
    for (let row = 0; row < west!.length; row++) {
      const box: Box = [west![row]!, south![row]!, east![row]!, north![row]!]
      for (const { partOf, missing } of open) {
        if (missing.size === 0) continue
        missing.delete(partOf('', box))
      }
    }
  }
  return (open.find(({ missing }) => missing.size === 0) ?? open[0]!).layout
}

/**
 * The extent that decides a region's layout: the declared one (a clip box, or the extracts' headers), else that of all
 * images.
 */
export async function extentOf(manifest: ManifestFile, declared: Box | null): Promise<Box> {
  const images = await imageExtent(manifest)
  if (declared === null) return images
  const [width, height] = sides(declared)
  const [imagesWidth, imagesHeight] = sides(images)
  return imagesWidth * imagesHeight >= LEAST_COVERED * width * height ? declared : images
}

const sides = ([west, south, east, north]: Box): [number, number] => [east - west, north - south]

/** From the statistics in the manifest's footer. */
async function imageExtent(manifest: ManifestFile): Promise<Box> {
  const [west, south, east, north] = EDGES.map((name, i) => manifest.extreme(name, i < 2 ? 'min' : 'max'))
  if (west === undefined || south === undefined || east === undefined || north === undefined) return [0, 0, 0, 0]
  const step = 2 ** Math.floor(Math.log2(Math.max(east - west, north - south, 1e-4) * ROUNDED_TO))
  const [down, up] = [
    (value: number) => Math.floor(value / step) * step,
    (value: number) => Math.ceil(value / step) * step,
  ]
  return [down(west), down(south), up(east), up(north)]
}
