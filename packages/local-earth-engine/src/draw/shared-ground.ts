import { type CanopyMemory, shareCanopies } from './canopy.ts'
import { type Features, loadFeatures } from './feature-store.ts'

/** What drawing reads but never changes: threads hold it once together. */
export interface Ground {
  readonly features: Features
  readonly canopies: CanopyMemory
}

/**
 * Reads the features that are to be drawn.
 *
 * @throws InputError `unreadable-features`
 */
export async function loadGround(paths: readonly string[], canopies: CanopyMemory): Promise<Ground> {
  return { features: await loadFeatures(paths), canopies }
}

/** Makes this thread draw with the tables of a ground. */
export const shareGround = ({ canopies }: Ground): void => shareCanopies(canopies)
