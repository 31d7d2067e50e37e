import { z } from 'zod'
import { crs, gsd, KEY, maps, names, serviceUrl } from './common.ts'

/** Everything that is optional here is read from the service, and stored with the settings of the run. */
export const arcgisSource = z.strictObject({
  kind: z.literal('arcgis').describe('`arcgis`: an image service of ArcGIS, by `exportImage`'),
  ...names,
  url: serviceUrl((address) =>
    /\/ImageServer\/?(\?|$)/i.test(address) ? null : 'must end in /ImageServer; tile caches are of kind xyz',
  ).describe(`Address of the service, which ends in \`/ImageServer\`; a key is written as ${KEY}`),
  gsd: gsd.optional().describe("Ground sampling distance in metres per pixel; default: the service's"),
  crs: crs
    .optional()
    .describe("Coordinate system that maps are asked for in; default: the service's, else web mercator"),
  bands: z
    .tuple([z.int().min(1), z.int().min(1), z.int().min(1)])
    .default([1, 2, 3])
    .describe('Bands shown as red, green and blue, counted from 1'),
  format: z
    .enum(['png32', 'jpgpng', 'jpg'])
    .optional()
    .describe('Format of the maps; default: `png32` where it is at most three times as large as `jpgpng`'),
  mosaicRule: z
    .record(z.string(), z.unknown())
    .optional()
    .describe(
      'Which scenes are on top, as in the REST API, for example `{ mosaicMethod: esriMosaicAttribute, sortField: Year }`',
    ),
  yearField: z
    .string()
    .regex(/^\w+$/, 'must be the name of a field')
    .optional()
    .describe('Field with the year of a scene; with it, every year in `years` is a separate image'),
  times: z
    .array(z.int().min(1900).max(2100))
    .optional()
    .describe('Years that are asked for, each an image; default: those of `years` where the service knows times'),
  ...maps,
})

export type ArcgisSettings = z.infer<typeof arcgisSource>
