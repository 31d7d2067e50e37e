/** Documents of OGC services. */

import { parseXml, XmlElement } from '@rgrove/parse-xml'
import { type Box, ServiceError } from '@skyscript/core'

/** An element of a document, or none: names are without prefix. */
export class Element {
  readonly #element: XmlElement | null

  constructor(element: XmlElement | null) {
    this.#element = element
  }

  get isThere(): boolean {
    return this.#element !== null
  }

  get name(): string {
    return withoutPrefix(this.#element?.name ?? '')
  }

  /** Its children of a name. */
  all(name: string): Element[] {
    return (this.#element?.children ?? []).flatMap((child) =>
      child instanceof XmlElement && withoutPrefix(child.name) === name ? [new Element(child)] : [],
    )
  }

  /** The first child of a path of names. */
  at(...path: readonly string[]): Element {
    return path.reduce<Element>((from, name) => from.all(name)[0] ?? new Element(null), this)
  }

  attribute(name: string): string | undefined {
    const attributes = this.#element?.attributes ?? {}
    const key = Object.keys(attributes).find((each) => withoutPrefix(each) === name)
    return key === undefined ? undefined : attributes[key]
  }

  get text(): string {
    return (this.#element?.text ?? '').trim()
  }

  /** Numbers with spaces between. */
  get numbers(): number[] {
    return this.text.split(/[\s,]+/).map(Number)
  }
}

const withoutPrefix = (name: string): string => name.slice(name.indexOf(':') + 1)

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
    root = new Element(parseXml(text, { ignoreUndefinedEntities: true }).root)
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
