import { fraction } from '../hash.ts'
import { readTable } from './table.ts'

/** Red, green, blue and infrared, 0 to 255. */
export type Colour = readonly [red: number, green: number, blue: number, infrared: number]

const palettes = new Map<string, Map<string, Colour>>()
for (const { palette, name, red, green, blue, infrared } of readTable('palettes')) {
  const colours = palettes.get(palette!) ?? new Map<string, Colour>()
  colours.set(name!, [Number(red), Number(green), Number(blue), Number(infrared || red)])
  palettes.set(palette!, colours)
}

/** The colours of a palette of palettes.csv, by name; infrared is as bright as red where the table says nothing. */
export function paletteNamed(palette: string): ReadonlyMap<string, Colour> {
  const found = palettes.get(palette)
  if (!found) throw new TypeError(`palettes.csv has no palette ${palette}.`)
  return found
}

/** The colours of a palette in the order of the table. */
export const palette = (name: string): readonly Colour[] => [...paletteNamed(name).values()]

/** The colour at a share of a palette, 0 to below 1. */
export const colourAt = (colours: readonly Colour[], share: number): Colour =>
  colours[Math.floor(share * colours.length)]!

/** The colour that a seed draws. */
export const pick = (colours: readonly Colour[], seed: number): Colour => colourAt(colours, fraction(seed, 1))
