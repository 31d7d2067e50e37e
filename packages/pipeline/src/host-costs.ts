import { type Config, FILE_REQUESTS } from '@skyscript/core'
import { hostOfSource, type RequestShare, type Source } from '@skyscript/gee-fetch'

/** What a build asks of one host. */
export interface HostCost {
  readonly host: string
  /** Aliases of the sources that it serves. */
  readonly sources: readonly string[]
  readonly requests: number
  /** About; of Earth Engine uncompressed. */
  readonly bytes: number
  /** At its limits. */
  readonly seconds: number
}

/** Assumed seconds from a request for a tile or a part of a file to its last byte. */
const SECONDS_PER_FILE = 0.3
/** Assumed bytes per pixel of compressed pictures. */
const JPEG_PIXEL = 0.4
const PNG_PIXEL = 2
/** GeoTIFFs come in blocks that hold more than is asked for. */
const FILE_PIXEL = 4

/** The cost of sources outside of Earth Engine, by host, the slowest first. */
export function hostCosts(shares: ReadonlyMap<string, RequestShare>, sources: readonly Source[]): HostCost[] {
  const used = sources.flatMap((source) => {
    const share = shares.get(source.alias)
    return share ? [{ source, share, host: hostOf(source) }] : []
  })
  return [...Map.groupBy(used, ({ host }) => host)]
    .map(([host, list]) => {
      const requests = list.reduce((sum, { share }) => sum + share.files, 0)
      const bytes = list.reduce((sum, { source, share }) => sum + bytesOf(source, share), 0)
      // They are the same for all sources of a host.
      const { concurrent, perSecond } = limitsOf(list[0]!.source)
      const seconds = Math.max(requests / perSecond, (requests * SECONDS_PER_FILE) / concurrent)
      return { host, sources: list.map(({ source }) => source.alias), requests, bytes: Math.round(bytes), seconds }
    })
    .sort((a, b) => b.seconds - a.seconds || (a.host < b.host ? -1 : 1))
}

/** The name under which Earth Engine is listed. */
export const earthEngineHost = ({ endpoint }: Config['imagery']['earthEngine']): string =>
  endpoint === 'local' ? 'local' : new URL(endpoint).host

function hostOf(source: Source): string {
  if (source.kind === 'earth-engine') throw new TypeError('Earth Engine is counted apart.')
  return hostOfSource(source) ?? 'files of this machine'
}

const limitsOf = (source: Source) => ('requests' in source ? source.requests : FILE_REQUESTS)

function bytesOf(source: Source, { pixels, files }: RequestShare): number {
  if (source.kind !== 'tiles') return pixels * FILE_PIXEL
  const { width, height } = source.tile
  const address = source.addressOf({ column: 0, row: 0, stepX: 1, stepY: 1 }, source.pictures.at(-1)!)
  return files * width * height * (/png/i.test(address) ? PNG_PIXEL : JPEG_PIXEL)
}
