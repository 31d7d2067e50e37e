import { closeSync, createReadStream, openSync, readSync } from 'node:fs'
import { pipeline } from 'node:stream'
import { TextDecoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { InputError, systemReason } from '@skyscript/core'
import { SaxesParser } from 'saxes'
import { MAX_LATITUDE, MAX_LONGITUDE } from '../limits.ts'
import type { Kind } from '../newest.ts'
import type { ChangedElement } from './change.ts'

const KIND_OF: Readonly<Record<string, Kind>> = { node: 'nodes', way: 'ways', relation: 'relations' }
const MEMBER_TYPES = ['node', 'way', 'relation']
const ACTIONS = ['create', 'modify', 'delete']

/**
 * Reads an OsmChange file, `.osc` or `.osc.gz`: each element of its `create`, `modify` and `delete` blocks, in the file's
 * order. Elements and attributes that the format doesn't know are passed over.
 * https://wiki.openstreetmap.org/wiki/OsmChange
 *
 * @throws InputError `missing-file`, `not-a-change-file`, `changes-cut-off` or `changes-damaged` with the line
 */
export async function* readChanges(path: string): AsyncGenerator<ChangedElement> {
  const fault = (code: string, what: string) => new InputError(code, `${path} ${what}`)
  const found: ChangedElement[] = []
  const parser = new ChangeParser(fault, (element) => found.push(element))
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for await (const chunk of unpacked(path, fault)) {
    parser.write(decoder, chunk)
    yield* found.splice(0)
  }
  parser.end()
  yield* found
}

type Fault = (code: string, what: string) => InputError

const cutOff = (fault: Fault) => fault('changes-cut-off', 'is cut off; download it again.')

const GZIP = Buffer.from([0x1f, 0x8b])
const BZIP2 = Buffer.from('BZ')
const CHUNK = 2 ** 18
/** What XML begins with. */
const LESS_THAN = 0x3c

async function* unpacked(path: string, fault: Fault): AsyncGenerator<Uint8Array> {
  const start = firstBytes(path)
  if (start.length === 0) throw fault('not-a-change-file', 'is empty; download it again.')
  if (start.equals(BZIP2))
    throw fault('not-a-change-file', 'is compressed by bzip2, which is not read here; unpack it with `bunzip2`.')
  const file = createReadStream(path, { highWaterMark: CHUNK })
  try {
    yield* start.equals(GZIP) ? pipeline(file, createGunzip({ chunkSize: CHUNK }), () => {}) : file
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'Z_BUF_ERROR') throw cutOff(fault)
    if (code.startsWith('Z_')) throw fault('changes-damaged', 'is damaged: it can not be unpacked; download it again.')
    throw error
  } finally {
    file.destroy()
  }
}

/** Two, or those that there are. */
function firstBytes(path: string): Buffer {
  const bytes = Buffer.alloc(2)
  try {
    const file = openSync(path, 'r')
    try {
      return bytes.subarray(0, readSync(file, bytes, 0, 2, 0))
    } finally {
      closeSync(file)
    }
  } catch (error) {
    throw new InputError('missing-file', `${path} can't be read (${systemReason(error)}).`)
  }
}

type Attributes = Readonly<Record<string, string>>
type Growing = { -readonly [Key in keyof ChangedElement]: ChangedElement[Key] } & {
  tags: string[]
  refs: number[]
  types: number[]
  roles: string[]
}

class ChangeParser {
  readonly #xml = new SaxesParser()
  readonly #fault: Fault
  #depth = 0
  #action = ''
  #element: Growing | null = null
  #hasEnded = false

  constructor(fault: Fault, take: (element: ChangedElement) => void) {
    this.#fault = fault
    this.#xml.on('error', (error) => {
      throw this.#syntaxFault(error)
    })
    this.#xml.on('opentag', ({ name, attributes }) => this.#open(name, attributes, this.#depth++))
    this.#xml.on('closetag', () => {
      this.#depth--
      if (this.#depth === 0) this.#hasEnded = true
      if (this.#depth === 1) this.#action = ''
      if (this.#depth !== 2 || this.#element === null) return
      take(this.#element)
      this.#element = null
    })
  }

  write(decoder: TextDecoder, bytes: Uint8Array): void {
    let text: string
    try {
      text = decoder.decode(bytes, { stream: true })
    } catch {
      if (!this.#hasBegun && bytes[0] !== LESS_THAN) throw this.#notXml()
      throw this.#fault('changes-damaged', 'is damaged: it is not UTF-8 text; download it again.')
    }
    this.#xml.write(text)
  }

  end(): void {
    if (!this.#hasEnded) throw cutOff(this.#fault)
    this.#xml.close()
  }

  #open(name: string, attributes: Attributes, depth: number): void {
    if (depth === 0 && name !== 'osmChange')
      throw this.#fault('not-a-change-file', `is no OsmChange file: it begins with <${name.slice(0, 40)}>.`)
    if (depth === 1) this.#action = ACTIONS.includes(name) ? name : ''
    else if (depth === 2 && this.#action !== '') this.#element = this.#elementOf(name, attributes)
    else if (depth === 3 && this.#element !== null) this.#add(this.#element, name, attributes)
  }

  #elementOf(name: string, attributes: Attributes): Growing | null {
    const kind = KIND_OF[name]
    if (kind === undefined) return null
    const isDeleted = this.#action === 'delete' || attributes.visible === 'false'
    const place = (key: string, most: number) => {
      const text = attributes[key]
      if (kind !== 'nodes' || (isDeleted && text === undefined)) return Number.NaN
      const value = toDegrees7(text ?? '')
      if (Math.abs(value) <= most) return value
      throw this.#damaged(`node ${attributes.id} has no valid ${key}`)
    }
    return {
      kind,
      id: this.#integer(attributes.id, `a ${name} has no valid id`),
      version: Math.max(0, this.#integer(attributes.version ?? '0', `${name} ${attributes.id} has no valid version`)),
      seconds: this.#secondsOf(name, attributes),
      changeset: Number(attributes.changeset ?? 0) || 0,
      uid: Number(attributes.uid ?? 0) || 0,
      user: attributes.user ?? '',
      isDeleted,
      tags: [],
      longitude: place('lon', MAX_LONGITUDE),
      latitude: place('lat', MAX_LATITUDE),
      refs: [],
      types: [],
      roles: [],
    }
  }

  #add(element: Growing, name: string, attributes: Attributes): void {
    const { kind, id } = element
    if (name === 'tag') {
      const { k, v } = attributes
      if (k === undefined || v === undefined)
        throw this.#damaged(`a tag of ${kind.slice(0, -1)} ${id} has no key or value`)
      element.tags.push(k, v)
    } else if (name === 'nd' && kind === 'ways') {
      element.refs.push(this.#integer(attributes.ref, `way ${id} names a node without an id`))
    } else if (name === 'member' && kind === 'relations') {
      const type = MEMBER_TYPES.indexOf(attributes.type ?? '')
      if (type < 0) throw this.#damaged(`relation ${id} has a member of no known type`)
      element.refs.push(this.#integer(attributes.ref, `relation ${id} names a member without an id`))
      element.types.push(type)
      element.roles.push(attributes.role ?? '')
    }
  }

  #integer(text: string | undefined, otherwise: string): number {
    const value = /^-?\d+$/.test(text ?? '') ? Number(text) : Number.NaN
    if (!Number.isSafeInteger(value)) throw this.#damaged(otherwise)
    return value
  }

  /** Times without a zone are in UTC, whatever that of this machine is. */
  #secondsOf(name: string, { id, timestamp = '' }: Attributes): number {
    if (timestamp === '') return Number.NaN
    const hasZone = /(Z|[-+]\d\d:?\d\d)$/i.test(timestamp)
    const seconds = Math.floor(Date.parse(hasZone || !timestamp.includes('T') ? timestamp : `${timestamp}Z`) / 1000)
    if (Number.isNaN(seconds)) throw this.#damaged(`${name} ${id} has no valid timestamp`)
    return seconds
  }

  get #hasBegun(): boolean {
    return this.#depth > 0 || this.#hasEnded
  }

  #notXml(): InputError {
    return this.#fault('not-a-change-file', 'is no OsmChange file: it is not XML.')
  }

  #damaged(what: string): InputError {
    return this.#fault('changes-damaged', `is damaged: ${what} (line ${this.#xml.line}).`)
  }

  #syntaxFault(error: Error): InputError {
    if (!this.#hasBegun) return this.#notXml()
    return this.#damaged(`it is not valid XML: ${error.message.replace(/^\d+:\d+: /, '').replace(/\.$/, '')}`)
  }
}

/**
 * Degrees as text to 1e-7 degree, OSM's own precision, as osmium reads them: the eighth decimal decides how the seventh is
 * rounded. NaN where it is no number.
 */
export function toDegrees7(text: string): number {
  const found = /^([-+]?)(\d+)(?:\.(\d*))?$/.exec(text)
  if (found === null) return text.trim() === '' ? Number.NaN : Math.round(Number(text) * 1e7)
  const decimals = (found[3] ?? '').padEnd(8, '0')
  const size = Number(found[2]) * 1e7 + Number(decimals.slice(0, 7)) + (decimals[7]! >= '5' ? 1 : 0)
  return found[1] === '-' ? -size : size
}
