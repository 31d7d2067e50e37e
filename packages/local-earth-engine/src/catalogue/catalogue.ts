import { brandenburg } from './brandenburg.ts'
import { ESTONIA, ESTONIA_LOW_FLYING } from './estonia.ts'
import { LANDSAT_8, LANDSAT_9 } from './landsat.ts'
import { LATVIA } from './latvia.ts'
import { NAIP } from './naip.ts'
import { FINLAND, SWITZERLAND } from './national.ts'
import { NEON } from './neon.ts'
import { NETHERLANDS } from './netherlands.ts'
import type { Scene, SceneSource } from './scene.ts'
import { SENTINEL_2 } from './sentinel2.ts'
import { SKYSAT_MULTISPECTRAL, SKYSAT_RGB } from './skysat.ts'
import { SLOVAKIA } from './slovakia.ts'
import { SPAIN } from './spain.ts'

/** What a catalogue holds. */
export interface CatalogueOptions {
  /** What Brandenburg's orthophotos are: one image (as its examples load it) or a collection (as it is listed). */
  readonly brandenburg: 'image' | 'collection'
  /** Ids of assets, with everything below them, that are not shared with the account. */
  readonly denied?: readonly string[]
  /** ISO 8601: collections have no image that was taken then or later. Default: they have all. */
  readonly until?: string
}

/** The public data catalogue: which ids there are, and the images behind them. */
export interface Catalogue {
  readonly sources: readonly SceneSource[]
  /** The collection or image behind an id, or null. */
  find(id: string): SceneSource | Scene | null
  isDenied(id: string): boolean
}

/** The catalogue of the collections in collections.json. */
export function createCatalogue({ brandenburg: type, denied = [], until }: CatalogueOptions): Catalogue {
  const paper = [SWITZERLAND, SPAIN, brandenburg(type), FINLAND, NAIP]
  const whole: readonly SceneSource[] = [
    ...paper,
    SKYSAT_RGB,
    SKYSAT_MULTISPECTRAL,
    SENTINEL_2,
    LANDSAT_8,
    LANDSAT_9,
    NETHERLANDS,
    NEON,
    LATVIA,
    SLOVAKIA,
    ESTONIA,
    ESTONIA_LOW_FLYING,
  ]
  const sources = until === undefined ? whole : whole.map((source) => endingAt(source, Date.parse(until)))
  return {
    sources,
    find(id) {
      for (const source of sources) {
        if (id === source.id) return source.type === 'IMAGE' ? source.scene('') : source
        if (source.type === 'IMAGE_COLLECTION' && id.startsWith(`${source.id}/`))
          return source.scene(id.slice(source.id.length + 1))
      }
      return null
    },
    isDenied: (id) => denied.some((each) => id === each || id.startsWith(`${each}/`)),
  }
}

/** A collection as it was at a time, milliseconds since 1970 UTC. */
function endingAt(source: SceneSource, end: number): SceneSource {
  if (source.type === 'IMAGE') return source
  const isThere = ({ time }: Scene) => time === null || time < end
  return {
    ...source,
    *scenes(box, from, to) {
      for (const scene of source.scenes(box, from, to)) if (isThere(scene)) yield scene
    },
    scene(index) {
      const found = source.scene(index)
      return found && isThere(found) ? found : null
    },
  }
}

/** `projects/earthengine-public/assets/X` is the long name of X; assets of other projects have only their long names. */
export const publicId = (id: string): string =>
  id.replace(/^projects\/earthengine-(public|legacy)\/assets\/(?!projects\/)/, '')

/** The long name of an id. */
export const assetName = (id: string): string =>
  id.startsWith('projects/') ? id : `projects/earthengine-public/assets/${id}`

/** Whether an asset is an image, and not a collection. */
export const isScene = (found: SceneSource | Scene): found is Scene => 'source' in found

/** The id of an image. */
export const sceneId = ({ source, index }: Scene): string => (index === '' ? source.id : `${source.id}/${index}`)
