import { z } from 'zod'
import { isTileJson, templateTokens } from '../tile-template.ts'
import { names, pictures, serviceUrl } from './common.ts'

const TOKENS = ['z', 'zoom', 'x', 'y', '-y', 'key']

/** What is wrong with a template of tiles' addresses; null for nothing. */
function templateFault(template: string): string | null {
  const tokens = templateTokens(template)
  const unknown = tokens.find((name) => !TOKENS.includes(name) && !/^switch:[^,]+(,[^,]+)*$/.test(name))
  if (unknown !== undefined)
    return `has {${unknown.slice(0, 40)}}, which is not known; use {z}, {x}, {y} or {-y}, {switch:a,b,c}, and {key} for a key`
  // The address of a TileJSON has none.
  if (isTileJson(template)) return null
  const lacks = [['z', 'zoom'], ['x'], ['y', '-y']].find((names) => !names.some((name) => tokens.includes(name)))
  if (lacks) return `must contain {${lacks[0]}}`
  return null
}

export const xyzSource = z
  .strictObject({
    kind: z.literal('xyz').describe('`xyz`: image tiles in web mercator, as web maps show them'),
    ...names,
    url: serviceUrl(templateFault).describe(
      `Address of a TileJSON, or of a tile with \`{z}\`, \`{x}\`, \`{y}\` (\`{-y}\` counts from the south), \`{switch:a,b,c}\` for servers that take turns, and \`{key}\` in place of a key, which is read from the environment: \`SKYSCRIPT_SECRET_<ALIAS>\``,
    ),
    zoom: z
      .tuple([z.int().min(0).max(24), z.int().min(0).max(24)])
      .refine(([first, last]) => first <= last, 'must be [first, last] with first <= last')
      .optional()
      .describe('First and last level that the service really has; images are of the last. A TileJSON has it'),
    tileSize: z
      .union([z.literal(256), z.literal(512)], 'must be 256 or 512')
      .default(256)
      .describe("Pixels of a tile's side: 256 or 512"),
    ...pictures,
  })
  .refine(({ url, zoom }) => zoom !== undefined || isTileJson(url), {
    path: ['zoom'],
    message: 'is missing; expected a list',
  })
  .refine(({ url, zoom }) => zoom === undefined || !isTileJson(url) || /\.json$/.test(url.split('?')[0]!), {
    path: ['url'],
    message: 'must contain {z}, {x} and {y}; the address of a TileJSON ends in .json, and needs no zoom',
  })

export type XyzSettings = z.infer<typeof xyzSource>
