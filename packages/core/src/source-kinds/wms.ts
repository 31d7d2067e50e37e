import { z } from 'zod'
import { crs, gsd, KEY, layerSetting, layerTimes, maps, names, serviceUrl } from './common.ts'

/** Everything that is optional here is read from the service, and stored with the settings of the run. */
export const wmsSource = z.strictObject({
  kind: z.literal('wms').describe('`wms`: a Web Map Service, 1.1.1 or 1.3.0'),
  ...names,
  url: serviceUrl().describe(
    `Address of the service; other parameters of its query are kept, and a key is written as ${KEY}`,
  ),
  layers: layerSetting.describe('Layer, or layers with commas between; `{ 2018: ortho18, 2021: ortho21 }` by year'),
  styles: z.string().default('').describe("Styles of the layers; default: the service's own"),
  crs: crs
    .optional()
    .describe(
      'Coordinate system that maps are asked for in; default: a metric one that the service offers for the place, else web mercator',
    ),
  gsd: gsd.describe('Ground sampling distance of the pictures in metres per pixel'),
  axis: z
    .enum(['by-definition', 'east-first', 'north-first'])
    .default('by-definition')
    .describe('Order of coordinates in `BBOX` of version 1.3.0, for services that get it wrong'),
  version: z.enum(['1.1.1', '1.3.0']).optional().describe("Version of the protocol; default: the service's"),
  format: z
    .string()
    .regex(/^image\/[\w.+-]+(?:; ?[\w=.-]+)*$/, 'must be a type such as image/png')
    .optional()
    .describe('Type of the maps; default: `image/png` where it is at most three times as large as `image/jpeg`'),
  times: layerTimes,
  dates: z
    .strictObject({
      layer: z.string().min(1).describe('Layer that can be queried, as a rule one of metadata'),
      property: z.string().min(1).describe('Property with the date or year'),
      format: z
        .string()
        .min(1)
        .optional()
        .describe('Type of the answers; default: JSON, XML or text, as the service has it'),
    })
    .optional()
    .describe(
      'Where pictures are of several years: what says when a place was photographed (GetFeatureInfo); one more request for each square of maps',
    ),
  ...maps,
})

export type WmsSettings = z.infer<typeof wmsSource>
