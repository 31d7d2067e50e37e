import { z } from 'zod'
import { crs, KEY, layerSetting, layerTimes, names, pictures, serviceUrl } from './common.ts'

const range = z.tuple([z.int().min(0), z.int().min(0)])

/** Everything that is optional here is read from the service, and stored with the settings of the run. */
export const wmtsSource = z.strictObject({
  kind: z.literal('wmts').describe('`wmts`: a Web Map Tile Service'),
  ...names,
  url: serviceUrl().describe(`Address of the service, or of its capabilities; a key is written as ${KEY}`),
  layer: layerSetting.describe('Layer; `{ 2018: ortho18, 2021: ortho21 }` by year'),
  matrixSet: z.string().min(1).describe('Tile matrix set'),
  matrix: z.string().min(1).optional().describe('Tile matrix; default: the finest that the layer has'),
  style: z.string().min(1).optional().describe("Style; default: the layer's own"),
  format: z
    .string()
    .regex(/^image\/[\w.+-]+$/, 'must be a type such as image/png')
    .optional()
    .describe('Type of the tiles; default: `image/png` where it is at most three times as large as `image/jpeg`'),
  dimensions: z
    .record(z.string().min(1), z.string())
    .default({})
    .describe('Values of dimensions, such as `{ elevation: "0" }`; default: those of the service'),
  times: layerTimes,
  axis: z
    .enum(['by-definition', 'east-first', 'north-first'])
    .default('by-definition')
    .describe('Order of coordinates in `TopLeftCorner`, for services that get it wrong'),
  grid: z
    .strictObject({
      crs: crs.describe('Coordinate system of the tiles'),
      corner: z.tuple([z.number(), z.number()]).describe('Easting and northing of the north-western corner'),
      step: z.number().positive().describe('Units of the coordinate system per pixel'),
      tile: z
        .tuple([z.int().min(1).max(4096), z.int().min(1).max(4096)])
        .describe('Width and height of a tile, pixels'),
      columns: range.describe('First and last column'),
      rows: range.describe('First and last row'),
      template: z
        .string()
        .min(1)
        .describe('Address of a tile, with `{Layer}`, `{TileRow}`, `{TileCol}`, and `{Time}` where there are times'),
    })
    .optional()
    .describe('The pixels of the matrix; default: as the service says'),
  ...pictures,
})

export type WmtsSettings = z.infer<typeof wmtsSource>
