/** Documents of OGC services. */
import { type Box, ServiceError } from '@skyscript/core'
import { Element } from '../xml-element.ts'

/**
 * The root element of a document, if it has one of these names.
 *
 * @param address who sent it, for messages
 * @throws ServiceError `imagery-bad-answer` for an exception, a web page, or anything else
 */
export function documentOf(sent: string, names: readonly string[], address: string): Element {
  const wrong = (what: string) =>
    new ServiceError('imagery-bad-answer', `${address} answered with ${what} instead of its capabilities.`, {
      retry: false,
    })
  // Scripts often send an empty line before it.
  const text = sent.replace(/^[\s\uFEFF]+/, '')
  if (/^(?:<!doctype html|<html)/i.test(text)) throw wrong('a web page')
  let root: Element
  try {
    root = Element.parse(text)
  } catch {
    if (text.startsWith('<')) throw wrong('broken XML')
    throw wrong(text === '' ? 'nothing' : `something other than XML (${text.replace(/\s+/g, ' ').slice(0, 120)})`)
  }
  if (names.includes(root.name)) return root
  const said = root.at('ServiceException').text || root.at('Exception', 'ExceptionText').text
  throw wrong(said === '' ? `<${root.name}>` : `an exception (${said.replace(/\s+/g, ' ').slice(0, 120)})`)
}

/** Bounds in degrees, as a service says them of a layer; null where they are no box, and so say nothing. */
export function boundsOf(sides: readonly number[]): Box | null {
  const [west, south, east, north] = sides
  return sides.length === 4 && west! < east! && south! < north! ? (sides as unknown as Box) : null
}

/** The conditions that a service states for its use, without those that say that there are none. */
export const termsOf = (provider: Element): string[] =>
  ['Fees', 'AccessConstraints']
    .map((name) => provider.at(name).text)
    .filter((text) => text !== '' && !/^(none|no conditions apply|-)$/i.test(text))
