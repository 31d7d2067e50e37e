import { readAlgorithms } from '../algorithm.ts'
import { PROFILES } from '../profiles.ts'
import { BANDS } from './bands.ts'
import { COLLECTIONS } from './collections.ts'
import { ELEMENTS } from './elements.ts'
import { FILTERS } from './filters.ts'
import { GEOMETRIES } from './geometries.ts'
import { IMAGES } from './images.ts'
import { PIXELWISE } from './pixelwise.ts'
import { PLAIN } from './plain.ts'
import { REDUCERS } from './reducers.ts'

/** Every function of the API that this server knows, by name. */
export const ALGORITHMS = readAlgorithms({
  ...COLLECTIONS,
  ...FILTERS,
  ...PIXELWISE,
  ...BANDS,
  ...IMAGES,
  ...ELEMENTS,
  ...GEOMETRIES,
  ...REDUCERS,
  ...PLAIN,
  ...PROFILES,
})
