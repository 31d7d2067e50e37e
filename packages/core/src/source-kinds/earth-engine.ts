import { z } from 'zod'
import { facts } from './common.ts'

export const earthEngineSource = z.strictObject({
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
