import { z } from 'zod'
import { SOURCE_ALIAS } from './ids.ts'
import { SHIPPED_SOURCES } from './records.ts'
import { schemaMessage } from './schema-faults.ts'

type ShippedAlias = keyof typeof SHIPPED_SOURCES

const SHIPPED = Object.keys(SHIPPED_SOURCES) as [ShippedAlias, ...ShippedAlias[]]
const isShipped = (alias: string): alias is ShippedAlias => Object.hasOwn(SHIPPED_SOURCES, alias)

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
  .refine(([w, s, e, n]) => w < e && s < n, 'must be [west, south, east, north] with west < east and south < north')

/** What every source of the user's says, whatever its kind. */
const names = {
  alias: z
    .string()
    .regex(SOURCE_ALIAS, 'must be 2 to 8 capital letters or digits, a letter first')
    .refine((alias) => !isShipped(alias), 'is the name of a shipped source')
    .describe("2 to 8 capital letters or digits; part of the images' names"),
  title: z.string().min(1).optional().describe('Name of the imagery; default: the alias'),
}

const extent = boxSetting
  .default([-180, -90, 180, 90])
  .describe('`[west, south, east, north]`: the source is not used outside this box')

const credit = z
  .string()
  .min(1)
  .optional()
  .describe('Credit line, for the manifest and `ATTRIBUTION.md`; default: the title')

const licence = z.string().min(1)

/** The same of what has values to be shown, and a GSD of its own. */
const facts = {
  ...names,
  gsd: z.number().min(0.01).max(1000).describe('Nominal ground sampling distance in metres per pixel'),
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

const earthEngineSource = z.strictObject({
  kind: z.literal('earth-engine').default('earth-engine').describe('Optional'),
  ...facts,
  id: z
    .string()
    .regex(/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_.-]+)*$/, 'must be an Earth Engine asset id')
    .describe('Asset id of a collection or an image, also of your own (`projects/my-project/assets/...`)'),
  bands: z
    .tuple([z.string().min(1), z.string().min(1), z.string().min(1)])
    .describe('Bands shown as red, green and blue'),
  cloudMask: z
    .union([
      z.strictObject({ band: z.string().min(1), values: z.array(z.int()).min(1) }),
      z.strictObject({ band: z.string().min(1), bits: z.array(z.int().min(0).max(30)).min(1) }),
    ])
    .nullable()
    .default(null)
    .describe('Band that marks clouds: `{ band, values: [...] }`, or `{ band, bits: [...] }` of which any may be set'),
})

const cogSource = z
  .strictObject({
    kind: z.literal('cog').describe('`cog`: Cloud-Optimised GeoTIFFs'),
    ...facts,
    stac: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null)
      .describe('Root URL of a STAC API'),
    collection: z
      .string()
      .regex(/^[\w.-]{1,128}$/, 'must be a name of letters, digits, dots, dashes and underscores')
      .optional()
      .describe('The collection in it'),
    assets: z
      .array(z.string().min(1))
      .max(3)
      .default([])
      .describe(
        'The asset of an item with all three bands, or three assets with one each; `*` matches any text, as in `*_0.1_2056.tif`',
      ),
    files: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Instead of a catalogue: paths or URLs of files. Each is an image, dated by its TIFFTAG_DATETIME. Workers on other machines need the same paths',
      ),
    bands: z
      .tuple([z.int().min(1), z.int().min(1), z.int().min(1)])
      .default([1, 2, 3])
      .describe('Bands shown as red, green and blue, counted from 1'),
    mosaic: z
      .enum(['item', 'day', 'year'])
      .default('item')
      .describe(
        'Sheets that are one image: those of one `day` or `year`, merged where they meet, or each `item` for itself. Files without a time count as one day or year',
      ),
    cloudMask: z
      .strictObject({ asset: z.string().min(1), values: z.array(z.int()).min(1) })
      .nullable()
      .default(null)
      .describe('`{ asset, values }`: a one-band asset whose values mark clouds'),
  })
  .refine((source) => (source.stac === null) !== (source.files.length === 0), {
    path: ['stac'],
    message: 'must be given, or else files (not both)',
  })
  .refine(
    (source) => source.stac === null || (source.collection !== undefined && [1, 3].includes(source.assets.length)),
    {
      path: ['collection'],
      message: 'must be given with stac, and assets with one name or three',
    },
  )

const TOKENS = ['z', 'zoom', 'x', 'y', '-y']
/** Values in a query that are named like these are secrets. */
const SECRET_NAME = /[?&](?:[^=&]*(?:key|token|secret|password)[^=&]*|sig|signature|appid)=(?!\$\{)[^&{]/i

/** What is wrong with a template of tiles' addresses; null for nothing. */
function templateFault(template: string): string | null {
  const tokens = [...template.matchAll(/(\$?)\{([^}]*)\}/g)]
    .filter(([, dollar]) => dollar === '')
    .map(([, , name]) => name!)
  const unknown = tokens.find((name) => !TOKENS.includes(name) && !/^switch:[^,]+(,[^,]+)*$/.test(name))
  if (unknown !== undefined)
    return `has {${unknown.slice(0, 40)}}, which is not known; use {z}, {x}, {y} or {-y}, {switch:a,b,c}, and \${SKYSCRIPT_SECRET_NAME} for a key`
  const lacks = [['z', 'zoom'], ['x'], ['y', '-y']].find((names) => !names.some((name) => tokens.includes(name)))
  if (lacks) return `must contain {${lacks[0]}}`
  if (SECRET_NAME.test(template) || /^https?:\/\/[^/]*@/i.test(template))
    return `holds a key or a login; write \${SKYSCRIPT_SECRET_NAME} in its place and set that variable for the build and all workers`
  return null
}

/** Requests to the host of a service that is free to use: at a time, and started in a second. */
export const POLITE_REQUESTS = { concurrent: 4, perSecond: 10 }

const year = z.int().min(1900).max(2100)

const xyzSource = z.strictObject({
  kind: z.literal('xyz').describe('`xyz`: image tiles in web mercator, as web maps show them'),
  ...names,
  extent,
  url: z
    .url({ protocol: /^https?$/ })
    .check((context) => {
      const message = templateFault(context.value)
      if (message !== null) context.issues.push({ code: 'custom', input: context.value, message })
    })
    .describe(
      `Address of a tile with \`{z}\`, \`{x}\`, \`{y}\` (\`{-y}\` counts from the south), \`{switch:a,b,c}\` for servers that take turns, and \`\${SKYSCRIPT_SECRET_NAME}\` in place of a key, which is read from the environment`,
    ),
  zoom: z
    .tuple([z.int().min(0).max(24), z.int().min(0).max(24)])
    .refine(([first, last]) => first <= last, 'must be [first, last] with first <= last')
    .describe('First and last level that the service really has; images are of the last'),
  tileSize: z
    .union([z.literal(256), z.literal(512)])
    .default(256)
    .describe("Pixels of a tile's side: 256 or 512"),
  years: z
    .union([year, z.tuple([year, year]).refine(([first, last]) => first <= last, 'must be [first, last]')])
    .nullable()
    .default(null)
    .describe('Year of the pictures; `[first, last]` where they are of several, which leaves images without a date'),
  licence: licence.describe('Licence of the pictures; permission to draw a map from them is none to copy them'),
  credit,
  requests: z
    .strictObject({
      concurrent: z
        .int()
        .min(1)
        .max(100)
        .default(POLITE_REQUESTS.concurrent)
        .describe('Requests to its host at a time'),
      perSecond: z
        .int()
        .min(1)
        .max(1000)
        .default(POLITE_REQUESTS.perSecond)
        .describe('Requests to its host started in a second'),
    })
    .optional()
    .describe('Shared by all workers of a queue, or all builds of a machine'),
})

const KINDS = { 'earth-engine': earthEngineSource, cog: cogSource, xyz: xyzSource } as const

const isKind = (kind: unknown): kind is keyof typeof KINDS => typeof kind === 'string' && Object.hasOwn(KINDS, kind)

/** Every form of a source: an alias, or a description. */
export const sourceForms = [z.enum(SHIPPED), ...Object.values(KINDS)] as const

/** A source that the settings describe. */
export type SourceSettings = z.infer<(typeof KINDS)[keyof typeof KINDS]>
export type XyzSettings = z.infer<typeof xyzSource>

/** A shipped source by its alias, or a source of the user's; `kind` is earth-engine by default. */
export const sourceSetting = z.unknown().transform((value, context): ShippedAlias | SourceSettings => {
  const fault = (message: string, path: PropertyKey[] = []) => {
    context.addIssue({ code: 'custom', message, path })
    return z.NEVER
  }
  if (typeof value === 'string') {
    return isShipped(value)
      ? value
      : fault(
          `Unknown source "${value.slice(0, 40)}"; use one of ${SHIPPED.join(', ')}, or describe a source of your own`,
        )
  }
  if (typeof value !== 'object' || value === null) return fault('must be the name of a source, or describe one')
  const { kind = 'earth-engine' } = value as { kind?: unknown }
  if (!isKind(kind)) return fault(`must be one of ${Object.keys(KINDS).join(', ')}`, ['kind'])
  const result = KINDS[kind].safeParse({ ...value, kind }, { error: schemaMessage })
  if (result.success) return result.data
  for (const issue of result.error.issues) context.addIssue(issue as Parameters<typeof context.addIssue>[0])
  return z.NEVER
})

/** What a source is called. */
export const aliasOf = (source: string | SourceSettings): string => (typeof source === 'string' ? source : source.alias)
