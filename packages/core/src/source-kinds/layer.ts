import { z } from 'zod'
import { credit, gsd, names, requests, statedLicence, years } from './common.ts'

/** A layer of `imagery.catalogue`: what the catalogue can't know is stated here. */
export const indexLayer = z.strictObject({
  index: z.string().min(1).max(200).describe('Id of the layer in the file of `imagery.catalogue`'),
  ...names,
  alias: names.alias.optional().describe("2 to 8 capital letters or digits; default: the id's first eight"),
  licence: statedLicence,
  credit: credit.describe("Credit line, for the manifest and `ATTRIBUTION.md`; default: the layer's attribution"),
  zoom: z
    .tuple([z.int().min(0).max(24), z.int().min(0).max(24)])
    .refine(([first, last]) => first <= last, 'must be [first, last] with first <= last')
    .optional()
    .describe("Of tiles: first and last level with pixels of their own; default: the catalogue's"),
  gsd: gsd.optional().describe('Ground sampling distance in metres per pixel, which catalogues do not have'),
  years: years.optional().describe("Year, or [first, last]; default: those of the layer's dates"),
  requests,
})

/** A parsed one. */
export type LayerSettings = Omit<z.infer<typeof indexLayer>, 'alias'> & {
  readonly kind: 'index'
  readonly alias: string
}

const MOST = 8

/** An alias made of an id: its first letters and digits, as capitals. */
export function aliasOfLayer(id: string): string {
  const characters = id.toUpperCase().replace(/[^A-Z0-9]/g, '')
  return (/^[A-Z]/.test(characters) ? characters : `I${characters}`).slice(0, MOST).padEnd(2, 'X')
}
