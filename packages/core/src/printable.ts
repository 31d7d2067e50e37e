import { stripVTControlCharacters } from 'node:util'

/**
 * What may steer a terminal or turn the direction of text: C0 and C1 controls, DEL, and Unicode's marks, embeddings,
 * overrides and isolates of direction. Line feeds are judged apart.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const STEERING = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/**
 * Text from outside (a tag, a path, a server's answer) made safe to print: escape sequences go as a whole, tabs become
 * spaces, other control characters go, lone surrogates become U+FFFD. Line feeds stay.
 */
export function printable(text: string): string {
  return stripVTControlCharacters(text.toWellFormed()).replaceAll('\t', ' ').replace(STEERING, '')
}

/** The same on one line: line feeds become spaces. */
export function printableLine(text: string): string {
  return printable(text.replace(/\r\n|\r/g, '\n')).replaceAll('\n', ' ')
}

/** East Asian wide and fullwidth forms (Unicode UAX #11) and emoji fill two cells. */
const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u
const ZERO = /\p{M}|\u200b|\u200d/u

/** How many cells of a terminal a line fills. */
export function cellsOf(line: string): number {
  let cells = 0
  for (const character of line) cells += cellsOfCharacter(character)
  return cells
}

/** The beginning of a line that fits into `cells` cells of a terminal. */
export function cropToCells(line: string, cells: number): string {
  let used = 0
  let end = 0
  for (const character of line) {
    used += cellsOfCharacter(character)
    if (used > cells) return line.slice(0, end)
    end += character.length
  }
  return line
}

function cellsOfCharacter(character: string): number {
  return ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1
}
