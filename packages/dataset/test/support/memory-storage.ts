import { type Listed, ServiceError, type Storage } from '@skyscript/core'

/** A dataset in memory, for tests that change one byte and look at what is found. */
export class MemoryStorage implements Storage {
  readonly url = 'memory:'
  readonly files = new Map<string, Uint8Array>()

  async get(key: string): Promise<Uint8Array | null> {
    return this.files.get(key) ?? null
  }

  async *stream(key: string): AsyncGenerator<Uint8Array> {
    const bytes = this.files.get(key)
    if (bytes === undefined) throw new ServiceError('missing-key', `${key} is not in ${this.url}.`, { retry: false })
    for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536)
  }

  async put(key: string, value: Uint8Array | string | AsyncIterable<Uint8Array | string>): Promise<void> {
    if (typeof value === 'string' || value instanceof Uint8Array) {
      this.files.set(key, Buffer.from(value as string))
      return
    }
    const parts: Buffer[] = []
    for await (const chunk of value) parts.push(Buffer.from(chunk as string))
    this.files.set(key, Buffer.concat(parts))
  }

  async putIfAbsent(key: string, value: Uint8Array | string): Promise<boolean> {
    if (this.files.has(key)) return false
    this.files.set(key, Buffer.from(value as string))
    return true
  }

  async has(key: string): Promise<boolean> {
    return this.files.has(key)
  }

  async *list(prefix: string, depth?: 'shallow' | 'names'): AsyncGenerator<Listed> {
    let last = ''
    for (const key of [...this.files.keys()].sort()) {
      if (!key.startsWith(prefix)) continue
      const end = depth !== undefined ? key.indexOf('/', prefix.length) + 1 : 0
      const shown = end === 0 ? key : key.slice(0, end)
      if (shown !== last) yield { key: shown, size: end === 0 ? this.files.get(key)!.length : 0 }
      last = shown
    }
  }

  async delete(key: string): Promise<void> {
    this.files.delete(key)
  }
}
