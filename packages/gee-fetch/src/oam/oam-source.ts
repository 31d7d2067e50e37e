import { type OamSettings, POLITE_REQUESTS } from '@skyscript/core'
import { coveredBy } from '../coverage.ts'
import type { SourceFacts } from '../sources/source-facts.ts'
import type { RequestLimits } from '../web/tile-source.ts'

/** Scenes of OpenAerialMap's catalogue, or of one that answers like it. Each has a GSD, a licence and a credit of its own. */
export interface OamSource extends SourceFacts {
  readonly kind: 'oam'
  /** The catalogue's address; secrets in it are still placeholders. */
  readonly url: string
  readonly gsds: readonly [finest: number, coarsest: number]
  /** Licences of scenes that are used. */
  readonly licences: readonly string[]
  /** What scenes may be taken from, in lower case; null: anything. */
  readonly platforms: readonly string[] | null
  /** Requests to the catalogue's host, and to every host of files. */
  readonly requests: RequestLimits
}

export function oamSource({
  alias,
  title = 'OpenAerialMap',
  extent,
  url,
  gsd,
  licences,
  platform,
  requests = POLITE_REQUESTS,
}: OamSettings): OamSource {
  return {
    kind: 'oam',
    alias,
    title,
    collection: alias,
    url,
    gsd: gsd[1],
    gsds: gsd,
    licences,
    platforms: platform,
    requests,
    ...coveredBy(extent),
    range: [0, 255],
    cloudProperty: null,
    cloudBrightness: null,
    timePrecision: 'day',
    licence: licences.join(', '),
    credit: () => `contributors of ${title}`,
  }
}
