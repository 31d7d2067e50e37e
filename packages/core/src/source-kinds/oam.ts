import { z } from 'zod'
import { extent, names, requests, serviceUrl } from './common.ts'

/** Licences by which anyone may use, change and pass on the images. */
const OPEN_LICENCES = ['CC BY', 'CC BY-SA', 'CC0', 'public domain']

const metres = z.number().min(0.01).max(1000)
const platform = z.enum(['satellite', 'aircraft', 'uav', 'balloon', 'kite'])

export const oamSource = z.strictObject({
  kind: z.literal('oam').describe("`oam`: the scenes of OpenAerialMap's catalogue"),
  ...names,
  title: names.title.describe('Name of the catalogue, for credit lines; default: OpenAerialMap'),
  extent,
  url: serviceUrl().describe(
    'Address of the catalogue, whose `/meta` lists scenes, such as `https://api.openaerialmap.org`',
  ),
  gsd: z
    .tuple([metres, metres])
    .refine(([finest, coarsest]) => finest <= coarsest, 'must be [finest, coarsest] with finest <= coarsest')
    .describe('Scenes whose own ground sampling distance is in this range, in metres per pixel'),
  licences: z
    .array(z.string().min(1))
    .min(1)
    .default(OPEN_LICENCES)
    .describe('Licences of scenes that are used, of any version where none is named; others are left out and counted'),
  platform: z
    .union([platform.transform((one) => [one]), z.array(platform).min(1)])
    .nullable()
    .default(null)
    .describe(
      'Scenes taken from these: one or several of `satellite`, `aircraft`, `uav`, `balloon`, `kite`; null: all',
    ),
  requests,
})

export type OamSettings = z.infer<typeof oamSource>
