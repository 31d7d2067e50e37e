import type { Algorithm } from '../algorithm.ts'
import { PROFILES } from '../profiles.ts'
import { BASICS } from './basics.ts'
import { COLLECTIONS } from './collections.ts'
import { FILTERS } from './filters.ts'
import { IMAGES } from './images.ts'

/** Every function of the API that this server knows, by name. */
export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map(
  [...COLLECTIONS, ...FILTERS, ...IMAGES, ...BASICS, ...PROFILES].map((each) => [each.name, each]),
)
