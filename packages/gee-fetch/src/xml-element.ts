import { parseXml, XmlElement } from '@rgrove/parse-xml'

/** An element of a document, or none: names are without prefix. */
export class Element {
  readonly #element: XmlElement | null

  private constructor(element: XmlElement | null) {
    this.#element = element
  }

  /**
   * The root of a document.
   *
   * @throws Error for broken XML
   */
  static parse(text: string): Element {
    return new Element(parseXml(text, { ignoreUndefinedEntities: true }).root)
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
