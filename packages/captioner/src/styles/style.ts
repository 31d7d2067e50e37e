import { readFileSync } from 'node:fs'
import { carrierOf, checkWith, InputError, messageOf, type SourceAlias } from '@skyscript/core'
import { parse } from 'yaml'
import { z } from 'zod'
import { DIRECTIONS, type Direction } from '../surroundings/surrounding.ts'

/** A word or sentence of a style; nothing that would break a line of a CSV or a terminal. */
const text = z.string().regex(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters')

const holding = (...names: string[]) =>
  text.refine((value) => names.every((name) => value.includes(`{${name}}`)), `must hold {${names.join('} and {')}}`)

const directionNames = z.strictObject(
  Object.fromEntries(DIRECTIONS.map((direction) => [direction, text.default(`to the ${direction}`)])) as Record<
    Direction,
    z.ZodDefault<typeof text>
  >,
)

/** The words around the phrases of a caption: another style, or another language. Unset members are the original's. */
const style = z.strictObject({
  /** The caption of the focus object: `{tags}` is its phrases; `{image}` or `{Image}`, with a capital, may stand in all three. */
  title: holding('tags'),
  /** The caption of all objects where nothing is around, and where `{others}` are. */
  alone: holding('object'),
  surrounded: holding('object', 'others'),
  /** What `{image}` says, by the source. */
  images: z.strictObject({ aerial: text, satellite: text }).default({
    aerial: 'an aerial image',
    satellite: 'a satellite image',
  }),
  /** Between the phrases of `{tags}`; between the first two and any further ones of an object; between `{others}`. */
  joins: z
    .strictObject({
      tags: text.default(', '),
      first: text.default(' with '),
      next: text.default(' and '),
      others: text.default('; '),
    })
    .prefault({}),
  /** Between key and value. */
  connectors: z.strictObject({ of: text.default('of'), is: text.default('is') }).prefault({}),
  /** Like objects: `{plural}` is an English plural, `{phrase}` the phrase as it is. */
  counted: holding('count').default('{count} {plural}'),
  /** The direction of an object; `{object}` is its phrase. */
  placed: holding('object', 'direction').default('{object} {direction}'),
  directions: directionNames.prefault({}),
  /** Other words for whole phrases of the original: `natural water: Wasser`. */
  phrases: z.record(z.string(), text).default({}),
})

export type Style = z.infer<typeof style>

/** The styles that come with the captioner, by name. */
export const STYLES = ['skyscript', 'it-shows'] as const

export function shippedStyle(name: (typeof STYLES)[number]): Style {
  return style.parse(JSON.parse(readFileSync(new URL(`./${name}.json`, import.meta.url), 'utf8')))
}

/**
 * Reads a style file, YAML or JSON.
 *
 * @param file for messages
 * @throws InputError `bad-style` that names every fault
 */
export function parseStyle(content: string, file: string): Style {
  let parsed: unknown
  try {
    parsed = parse(content)
  } catch (error) {
    throw new InputError('bad-style', `${file} is not YAML or JSON: ${messageOf(error).split('\n')[0]}`)
  }
  const checked = checkWith(style, parsed ?? {}, 'file')
  if ('faults' in checked) throw new InputError('bad-style', `${file}: ${checked.faults.join('; ')}`)
  return checked.value
}

/** @param source null where it isn't known: the original calls every image a satellite image, as we do those of users' sources */
export function imageName({ images }: Style, source: SourceAlias | null): string {
  return images[source === null ? 'satellite' : carrierOf(source)]
}
