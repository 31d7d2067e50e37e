import { z } from 'zod'
import { facts } from './common.ts'

export const cogSource = z
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
