import { type Box, boxMetres, IMAGE_PATH, MAP_TILE_DEGREES, metaPath, radians, type Storage } from '@skyscript/core'
import { captionFault } from './captions.ts'
import { type Fault, quoted } from './faults.ts'
import { checkImage } from './image.ts'
import type { CaptionForm } from './lock.ts'
import type { ManifestRow } from './manifest.ts'
import { checkMeta } from './meta.ts'

/** Result of checking one row; bytes are those of its image, 0 if it is missing. */
export interface RowCheck {
  readonly faults: readonly Fault[]
  readonly imageBytes: number
  readonly metas: number
}

/** Checks one manifest row with its image and its meta. */
export async function checkRow(
  storage: Storage,
  row: ManifestRow,
  scorers: readonly string[],
  captions: CaptionForm,
): Promise<RowCheck> {
  const path = row.filepath
  const faults: Fault[] = []
  const fault = (check: string, message: string) => void faults.push({ check, path, message })

  const name = nameFault(row)
  if (name !== null) fault('image-path', name)
  const grid = gridFault(row)
  if (grid !== null) fault('box', grid)
  const edit = editFault(row)
  if (edit !== null) fault('edit', edit)
  const days = daysFault(row)
  if (days !== null) fault('days-apart', days)
  const precision = precisionFault(row)
  if (precision !== null) fault('date-precision', precision)
  const tags = Object.keys(row.centerTags).length
  const caption = captionFault(row.title, row.titleMultiObjects, tags, captions)
  if (caption !== null) fault('caption', caption)
  if (tags === 0) fault('center-tags', 'has no center tag')
  for (const [i, scorer] of scorers.entries()) {
    const similarity = row.similarities[i] ?? Number.NaN
    // Rounding may put the cosine of equal vectors slightly above 1.
    if (!(Math.abs(similarity) <= 1 + 1e-6)) fault('similarity', `similarity of ${scorer} is ${similarity}`)
  }
  if (row.licence === '' || row.credit === '') fault('credit', 'has no licence or no credit')

  // A path that isn't valid is never read.
  if (!IMAGE_PATH.test(path)) return { faults, imageBytes: 0, metas: 0 }
  const [image, meta] = await Promise.all([storage.get(path), storage.get(metaPath(path))])
  if (image === null) fault('image-missing', 'is not there')
  else faults.push(...(await checkImage(path, image, row)))
  if (meta === null) faults.push({ check: 'meta-missing', path: metaPath(path), message: 'is not there' })
  else faults.push(...checkMeta(metaPath(path), meta, row))
  return { faults, imageBytes: image?.length ?? 0, metas: meta === null ? 0 : 1 }
}

/** The path must be a valid image path with the row's own id, source and year. */
function nameFault({ filepath, id, source, time }: ManifestRow): string | null {
  if (!IMAGE_PATH.test(filepath)) return 'is not the path of an image'
  const year = time === null ? '' : String(new Date(time).getUTCFullYear()).slice(-2)
  const stem = `${id}_${source}_${year}`
  return filepath.endsWith(`/${stem}.jpg`) ? null : `is not named ${stem}, as its row says`
}

/** A version is a number from 1 (0 in older datasets, where it isn't known), a timestamp a time in UTC. */
function editFault({ version, timestamp }: ManifestRow): string | null {
  if (version !== null && !(Number.isInteger(version) && version >= 0)) return `the version is ${version}`
  const isTime = timestamp === null || (/^\d{4}-\d\d-\d\dT.*Z$/.test(timestamp) && !Number.isNaN(Date.parse(timestamp)))
  return isTime ? null : `the timestamp is ${quoted(timestamp)}, not a time in UTC`
}

/** Checks the whole days from the image to the object's last edit, rounded towards zero. */
function daysFault({ daysApart, time, timestamp }: ManifestRow): string | null {
  if (daysApart === undefined) return null
  const due = time === null || timestamp === null ? null : Math.trunc((Date.parse(timestamp) - time) / 86_400_000)
  return daysApart === due ? null : `days_apart is ${daysApart}, and should be ${due}`
}

/** Only an image with a time has one. */
function precisionFault({ datePrecision, time }: ManifestRow): string | null {
  if (datePrecision === undefined) return null
  const isKnown = time === null ? datePrecision === null : datePrecision === 'day' || datePrecision === 'year'
  return isKnown ? null : `date_precision is ${datePrecision}, and the time ${time === null ? 'is not known' : 'is'}`
}

/**
 * The box must match width and height times GSD: w = round((E-W) x 111320 x cos(lat) / g), h = round((N-S) x
 * 110540 / g), within one pixel. Boxes of a map tile share one lattice, so `lat` may be the centre of the tile instead of
 * the box: the width may differ by the change of the cosine over half a tile. Pixels of web mercator are squares on a
 * sphere, whose height depends on the cosine too. Those of a metric system are squares on the ellipsoid, but for the
 * system's scale and the angle between its north and the meridian.
 */
function gridFault({ box, center, width, height, gsd }: ManifestRow): string | null {
  const [west, south, east, north] = box
  const inside = west >= -180 && south >= -90 && east <= 180 && north <= 90
  if (!(west < east && south < north && inside)) return `the box ${JSON.stringify(box)} is not one on earth`
  if (!isCenter(box, center)) return `the centre ${JSON.stringify(center)} is not that of the box`
  if (!(gsd > 0)) return `the GSD is ${gsd}`
  const metres = boxMetres(box)
  const latitude = Math.min(89, Math.abs((south + north) / 2) + MAP_TILE_DEGREES)
  const change = Math.tan(radians(latitude)) * radians(MAP_TILE_DEGREES / 2 + (north - south) / 2)
  const isNear = (of: number, pixels: number, slack: number) => Math.abs(of / gsd - pixels) <= 1 + slack
  const isHigh = isNear(metres.height, height, 0) || isNear(mercatorHeight(box), height, height * change)
  const ground = ellipsoidMetres(box)
  const isMetric =
    isNear(ground.width, width, width * METRIC_SLACK) && isNear(ground.height, height, height * METRIC_SLACK)
  if ((!isNear(metres.width, width, width * change) || !isHigh) && !isMetric) {
    const due = `${(metres.width / gsd).toFixed(1)}x${(metres.height / gsd).toFixed(1)}`
    return `is ${width}x${height} pixels, but the box at ${gsd} m gives ${due}`
  }
  return null
}

function isCenter([west, south, east, north]: Box, [longitude, latitude]: readonly [number, number]): boolean {
  return Math.abs((west + east) / 2 - longitude) < 1e-6 && Math.abs((south + north) / 2 - latitude) < 1e-6
}

/** What scale and angle take of a side: a national grid may be turned by seven degrees at its edge. */
const METRIC_SLACK = 0.01

/** Sides of a box on WGS84's ellipsoid, by its radii of curvature in the middle. */
function ellipsoidMetres([west, south, east, north]: Box): { readonly width: number; readonly height: number } {
  const [axis, squaredEccentricity] = [6_378_137, 0.00669438]
  const latitude = radians((south + north) / 2)
  const root = Math.sqrt(1 - squaredEccentricity * Math.sin(latitude) ** 2)
  return {
    width: radians(east - west) * (axis / root) * Math.cos(latitude),
    height: radians(north - south) * ((axis * (1 - squaredEccentricity)) / root ** 3),
  }
}

/** Metres on a sphere of EPSG:3857's radius, by the scale in the middle of the box. */
function mercatorHeight([, south, , north]: ManifestRow['box']): number {
  const y = (latitude: number) => Math.asinh(Math.tan(radians(latitude)))
  return 6_378_137 * (y(north) - y(south)) * Math.cos(radians((south + north) / 2))
}
