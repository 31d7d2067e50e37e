/** Settings that sources of several kinds have. */
import { z } from 'zod'
import { POLITE_REQUESTS } from '../hosts.ts'
import { SOURCE_ALIAS } from '../ids.ts'
import { SHIPPED_SOURCES } from '../records.ts'
import { withFirstServer } from '../tile-template.ts'

export type ShippedAlias = keyof typeof SHIPPED_SOURCES

export const SHIPPED = Object.keys(SHIPPED_SOURCES) as [ShippedAlias, ...ShippedAlias[]]
export const isShipped = (alias: string): alias is ShippedAlias => Object.hasOwn(SHIPPED_SOURCES, alias)

const degrees = (limit: number) => z.number().min(-limit).max(limit)

/** [west, south, east, north] in degrees; west > east crosses 180 degrees. */
export const crossingBoxSetting = z
  .tuple([degrees(180), degrees(90), degrees(180), degrees(90)])
  .refine(
    ([w, s, e, n]) => w !== e && s < n,
    'must be [west, south, east, north] with south < north (west > east crosses 180 degrees)',
  )

const boxSetting = z
  .tuple([degrees(180), degrees(90), degrees(180), degrees(90)])
  .refine(([w, s, e, n]) => w < e && s < n)

const ring = z.array(z.tuple([degrees(180), degrees(90)])).min(4)
const polygon = z.strictObject({ type: z.literal('Polygon'), coordinates: z.array(ring).min(1) })
const multiPolygon = z.strictObject({
  type: z.literal('MultiPolygon'),
  coordinates: z.array(z.array(ring).min(1)).min(1),
})

/** What every source of the user's says, whatever its kind. */
export const names = {
  alias: z
    .string()
    .regex(SOURCE_ALIAS, 'must be 2 to 8 capital letters or digits, a letter first')
    .refine((alias) => !isShipped(alias), 'is the name of a shipped source')
    .describe("2 to 8 capital letters or digits; part of the images' names"),
  title: z.string().min(1).optional().describe('Name of the imagery; default: the alias'),
}

export const extent = z
  .union(
    [boxSetting, polygon, multiPolygon],
    'must be [west, south, east, north] with west < east and south < north, or a GeoJSON Polygon or MultiPolygon',
  )
  .default([-180, -90, 180, 90])
  .describe('`[west, south, east, north]`, or a GeoJSON Polygon or MultiPolygon: the source is not used outside of it')

export const credit = z
  .string()
  .min(1)
  .optional()
  .describe('Credit line, for the manifest and `ATTRIBUTION.md`; default: the title')

const licence = z.string().min(1)

export const gsd = z.number().min(0.01).max(1000).describe('Nominal ground sampling distance in metres per pixel')

/** How a key is written, for descriptions. */
export const KEY = `\`\${SKYSCRIPT_SECRET_NAME}\``

export const crs = z.string().regex(/^(EPSG:\d{4,6}|CRS:84)$/, 'must be a code such as EPSG:25832')

const layer = z.string().min(1)

/** A layer's name, or names by year. */
export const layerSetting = z.union(
  [layer, z.record(z.string().regex(/^(19|20)\d\d$/), layer).refine((layers) => Object.keys(layers).length > 0)],
  'must be the name of a layer, or names by year',
)

/** Of what has values to be shown, and a GSD of its own. */
export const facts = {
  ...names,
  gsd,
  range: z
    .tuple([z.number(), z.number()])
    .refine(([black, white]) => black < white, 'must be [black, white] with black < white')
    .describe('Values shown as black and as white'),
  extent,
  cloudProperty: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Metadata property with the percentage of cloud of an image, such as `CLOUD_COVER`'),
  cloudBrightness: z
    .int()
    .min(1)
    .max(255)
    .nullable()
    .default(null)
    .describe('Without a mask: brightness, of 255, from which a grey pixel counts as cloud; null: none does'),
  licence: licence.default('unknown').describe('Licence, for the manifest and `ATTRIBUTION.md`'),
  credit,
}

export const requests = z
  .strictObject({
    concurrent: z.int().min(1).max(100).default(POLITE_REQUESTS.concurrent).describe('Requests to its host at a time'),
    perSecond: z
      .int()
      .min(1)
      .max(1000)
      .default(POLITE_REQUESTS.perSecond)
      .describe('Requests to its host started in a second'),
  })
  .optional()
  .describe('Shared by all workers of a queue, or all builds of a machine')

const year = z.int().min(1900).max(2100)

export const years = z
  .union([year, z.tuple([year, year]).refine(([first, last]) => first <= last, 'must be [first, last]')])
  .nullable()
  .default(null)
  .describe('Year of the pictures; `[first, last]` where they are of several, which leaves images without a date')

/** Of pictures whose permission is the user's to know. */
export const statedLicence = licence.describe(
  'Licence of the pictures; permission to draw a map from them is none to copy them',
)

/** Values in a query that are named like these are secrets. */
const SECRET_NAME = /[?&](?:[^=&]*(?:key|token|secret|password)[^=&]*|sig|signature|appid)=(?!\$\{)[^&{]/i

/** The name under which the environment has the key of a source. */
export const secretName = (alias: string): string => `SKYSCRIPT_SECRET_${alias}`

/** Why an address must not be in a file that others see; null for no reason. */
export const secretFault = (address: string): string | null =>
  SECRET_NAME.test(address) || /^https?:\/\/[^/]*@/i.test(address)
    ? `holds a key or a login; write \${SKYSCRIPT_SECRET_NAME} in its place and set that variable for the build and all workers`
    : null

/**
 * The address of a service.
 *
 * @param faultOf what else is wrong with it; null for nothing
 */
export const serviceUrl = (faultOf: (address: string) => string | null = () => null) =>
  z.string().check((context) => {
    const { value } = context
    const message = (isWebAddress(value) ? faultOf(value) : 'must be an http(s) URL') ?? secretFault(value)
    if (message !== null) context.issues.push({ code: 'custom', input: value, message })
  })

/** Of servers that take turns, the first. */
const isWebAddress = (address: string): boolean => /^https?:$/.test(URL.parse(withFirstServer(address))?.protocol ?? '')

/** What every web service of pictures has, beside its address. */
export const pictures = { extent, years, licence: statedLicence, credit, requests }

/** The same of one that makes maps of any place and size. */
export const maps = {
  ...pictures,
  tileSize: z
    .int()
    .min(128)
    .max(4096)
    .default(512)
    .describe('Pixels of the side of a map; images that are close together share maps'),
}

/** Values of a layer's dimension `time`. */
export const layerTimes = z
  .array(z.string().regex(/^\d{4}(-\d\d(-\d\d(T[\d:.]+Z?)?)?)?$/, 'must be a date such as 2021 or 2021-05-30'))
  .optional()
  .describe('Times of the layer that are used, each an image; `2021` means all of that year; default: all of them')

const mapSettings = z.object({ ...names, url: z.string(), ...maps })
export type MapSettings = z.infer<typeof mapSettings>
