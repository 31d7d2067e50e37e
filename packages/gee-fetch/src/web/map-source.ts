import { InputError, type MapSettings } from '@skyscript/core'
import { epsgOf, type GridSystem, gridSystemOf } from '../crs/grid-system.ts'
import { systemLattice } from '../lattice.ts'
import { pictureFacts } from './picture-facts.ts'
import type { Picture, TilePlace, TileSource } from './tile-source.ts'

/** What a kind of map service adds to `mapSource`. */
export interface Maps extends Pick<TileSource, 'addressOf' | 'decides' | 'dates'> {
  readonly system: GridSystem
}

/**
 * A source of maps of any place, which are asked for as tiles: they lie side by side from the origin of their coordinate
 * system, at the pictures' own GSD, so a service that has its pictures in this system resamples nothing.
 *
 * @param maps null where settings are still to be read from the service: then only its facts are known, and its pixels throw
 * an InputError
 * @param at the same source at another GSD
 */
export function mapSource(
  settings: MapSettings & { readonly gsd: number },
  pictures: readonly Picture[],
  maps: Maps | null,
  at: (gsd: number) => TileSource,
): TileSource {
  const { alias, url, gsd, tileSize } = settings
  const { system, ...own } = maps ?? { system: null, ...unknownPixels(alias) }
  return {
    ...pictureFacts(settings, pictures),
    kind: 'tiles',
    gsd,
    url,
    tile: { width: tileSize, height: tileSize },
    corner: { x: 0, y: 0 },
    sizeSetting: null,
    ...own,
    ...(system && { coarserBy: (factor: number) => at(gsd * factor) }),
    latticeIn: (tile) => (system ? systemLattice(system, gsd, tile) : missing(alias)),
  }
}

/** The system of maps, by what the settings call it. */
export const systemOf = (crs: string, alias: string): GridSystem => gridSystemOf(epsgOf(crs)!, alias)

/** Sides of a map among maps that lie side by side from the origin of their coordinate system. */
export function sidesOf(
  { column, row, stepX, stepY }: TilePlace,
  size: number,
): [west: number, south: number, east: number, north: number] {
  // Thirteen digits: sides that maps share have the same text, whatever rounding did.
  const digits = (value: number): number => Number(value.toPrecision(13))
  const [west, east] = [digits(column * size * stepX), digits((column + 1) * size * stepX)]
  return [west, digits(-(row + 1) * size * stepY), east, digits(-row * size * stepY)]
}

/** @throws InputError always: settings are still to be read from the service, see `completeSources` */
export function missing(alias: string): never {
  throw new InputError('source-incomplete', `${alias} has settings that are still to be read from its service.`)
}

/** Of settings that are still to be completed. */
export function unknownPixels(alias: string): Pick<TileSource, 'latticeIn' | 'addressOf' | 'decides'> {
  const unknown = () => missing(alias)
  return { latticeIn: unknown, addressOf: unknown, decides: [] }
}
