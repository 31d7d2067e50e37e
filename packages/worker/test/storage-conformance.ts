import { setTimeout as sleep } from 'node:timers/promises'
import { ServiceError, type Storage } from '@skyscript/core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** What a test of a backend hands in: an empty storage, and a second view of the same one. */
export interface Backend {
  open(): Promise<Storage>
  stop(): Promise<void>
}

const text = async (storage: Storage, key: string) => {
  const bytes = await storage.get(key)
  return bytes === null ? null : Buffer.from(bytes).toString('utf8')
}
const keysOf = async (storage: Storage, prefix: string) =>
  (await Array.fromAsync(storage.list(prefix))).map(({ key }) => key)

/** Claims that hold for every backend; each backend's test calls this. */
export function describeStorage(name: string, start: () => Promise<Backend>): void {
  describe(`${name} as a storage`, () => {
    let backend: Backend
    let storage: Storage
    beforeAll(async () => {
      backend = await start()
      storage = await backend.open()
    })
    afterAll(() => backend.stop())

    test("gives back what was put, byte for byte, also to another process's view of it", async () => {
      const bytes = Uint8Array.from({ length: 256 }, (_, i) => i)
      await storage.put('round/bytes.bin', bytes)
      await storage.put('round/text.txt', 'Zürich 山 🛰\u0000\r\n')
      const other = await backend.open()
      expect(Buffer.from((await other.get('round/bytes.bin'))!).equals(bytes)).toBe(true)
      expect(await text(other, 'round/text.txt')).toBe('Zürich 山 🛰\u0000\r\n')
      expect(Buffer.concat(await Array.fromAsync(other.stream('round/bytes.bin'))).equals(bytes)).toBe(true)
    })

    test('knows what is there and what is not', async () => {
      await storage.put('known/a/b.txt', 'b')
      expect(await storage.has('known/a/b.txt')).toBe(true)
      for (const key of ['known/a/c.txt', 'known/a', 'known/a/b.txt/c', 'nowhere/x']) {
        expect(await storage.has(key), key).toBe(false)
        expect(await storage.get(key), key).toBeNull()
        await expect(Array.fromAsync(storage.stream(key)), key).rejects.toMatchObject({ code: 'missing-key' })
      }
    })

    test('a put for a key that must not be there yet succeeds for one of many at once, and never replaces', async () => {
      const views = await Promise.all(Array.from({ length: 4 }, () => backend.open()))
      for (const round of [1, 2, 3]) {
        const key = `first/${round}.json`
        const tried = await Promise.all(
          Array.from({ length: 8 }, async (_, i) => [await views[i % 4]!.putIfAbsent(key, `value ${i}`), i] as const),
        )
        const [winner, ...others] = tried.filter(([won]) => won)
        expect(others).toEqual([])
        expect(await text(storage, key)).toBe(`value ${winner![1]}`)
        expect(await storage.putIfAbsent(key, 'late')).toBe(false)
        expect(await text(storage, key)).toBe(`value ${winner![1]}`)
      }
      expect(await keysOf(storage, 'first/')).toEqual(['first/1.json', 'first/2.json', 'first/3.json'])
      await storage.delete('first/1.json')
      expect(await storage.putIfAbsent('first/1.json', 'again')).toBe(true)
      await expect(storage.putIfAbsent('../x', 'x')).rejects.toMatchObject({ code: 'bad-key' })
    })

    test('holds empty values', async () => {
      await storage.put('empty/bytes', new Uint8Array())
      await storage.put('empty/stream', (async function* () {})())
      for (const key of ['empty/bytes', 'empty/stream']) {
        expect(await storage.has(key)).toBe(true)
        expect((await storage.get(key))!.length).toBe(0)
        expect(Buffer.concat(await Array.fromAsync(storage.stream(key))).length).toBe(0)
      }
      expect(await Array.fromAsync(storage.list('empty/'))).toMatchObject([
        { key: 'empty/bytes', size: 0 },
        { key: 'empty/stream', size: 0 },
      ])
    })

    test('replaces a value whole', async () => {
      await storage.put('again.txt', 'a longer first value')
      await storage.put('again.txt', 'second')
      expect(await text(storage, 'again.txt')).toBe('second')
    })

    test('takes a stream of texts and bytes, cut even inside a surrogate pair', async () => {
      await storage.put(
        'stream.txt',
        (async function* () {
          yield 'x'
          yield '\ud83d'
          yield '\udef0'
          yield Buffer.from(' and bytes')
        })(),
      )
      expect(await text(storage, 'stream.txt')).toBe('x🛰 and bytes')
    })

    test('takes and gives 20 MB as a stream', async () => {
      const piece = Buffer.alloc(1_000_003, 'skyscript ')
      await storage.put(
        'large.bin',
        (async function* () {
          for (let i = 0; i < 20; i++) yield piece
        })(),
      )
      let total = 0
      for await (const chunk of storage.stream('large.bin')) {
        for (let i = 0; i < chunk.length; i += 99_991) expect(chunk[i]).toBe(piece[(total + i) % piece.length])
        total += chunk.length
      }
      expect(total).toBe(20 * piece.length)
      expect((await Array.fromAsync(storage.list('large.bin')))[0]!.size).toBe(total)
    })

    test('a stream that breaks leaves nothing, or the value that was there before', async () => {
      const broken = (bytes: number) =>
        (async function* () {
          yield Buffer.alloc(bytes)
          throw new ServiceError('source-broke', 'The source broke.', { retry: true })
        })()
      await storage.put('broken/old.bin', 'old')
      for (const bytes of [10, 12_000_000]) {
        await expect(storage.put('broken/new.bin', broken(bytes))).rejects.toMatchObject({ code: 'source-broke' })
        await expect(storage.put('broken/old.bin', broken(bytes))).rejects.toMatchObject({ code: 'source-broke' })
      }
      expect(await storage.has('broken/new.bin')).toBe(false)
      expect(await text(storage, 'broken/old.bin')).toBe('old')
      expect(await keysOf(storage, 'broken/')).toEqual(['broken/old.bin'])
    })

    test('is never seen half written', async () => {
      await storage.put('steps.txt', 'before')
      let seen: (string | null)[] = []
      await storage.put(
        'steps.txt',
        (async function* () {
          yield 'half'
          seen = [await text(storage, 'steps.txt'), (await keysOf(storage, 'steps')).join()]
          yield ' and half'
        })(),
      )
      expect(seen).toEqual(['before', 'steps.txt'])
      expect(await text(storage, 'steps.txt')).toBe('half and half')
    })

    test('lists keys that start with a prefix, sorted by UTF-16 code units, with sizes', async () => {
      const keys = ['list/a', 'list/a-1/x', 'list/a.txt', 'list/a1', 'list/b/c/d', 'list/b/c.txt', 'list/B', 'listing']
      await Promise.all(keys.map((key) => storage.put(key, key)))
      const under = keys.filter((key) => key.startsWith('list/')).sort((a, b) => (a < b ? -1 : 1))
      expect(await keysOf(storage, 'list/')).toEqual(under)
      expect(await keysOf(storage, 'list/a')).toEqual(under.filter((key) => key.startsWith('list/a')))
      expect(await keysOf(storage, 'list/b/c')).toEqual(['list/b/c.txt', 'list/b/c/d'])
      expect(await keysOf(storage, 'list/b/c/')).toEqual(['list/b/c/d'])
      expect(await keysOf(storage, 'list/b/c/d')).toEqual(['list/b/c/d'])
      expect(await keysOf(storage, 'nothing')).toEqual([])
      expect(await keysOf(storage, '')).toEqual(expect.arrayContaining(keys))
      const [listed] = await Array.fromAsync(storage.list('listing'))
      expect(listed).toMatchObject({ key: 'listing', size: 7, version: expect.any(String) })
      await sleep(10)
      await storage.put('listing', 'changed')
      const [changed] = await Array.fromAsync(storage.list('listing'))
      expect(changed).toMatchObject({ key: 'listing', size: 7 })
      expect(changed!.version).not.toBe(listed!.version)
    })

    test('lists a folder as one key where only the next level is asked for', async () => {
      for (const key of ['level/b/1', 'level/b/2/3', 'level/a', 'level/c.txt', 'level/c/4', 'levels'])
        await storage.put(key, 'xy')
      const listed = await Array.fromAsync(storage.list('level/', 'shallow'))
      expect(listed.map(({ key, size }) => [key, size])).toEqual([
        ['level/a', 2],
        ['level/b/', 0],
        ['level/c.txt', 2],
        ['level/c/', 0],
      ])
      const named = await Array.fromAsync(storage.list('level/', 'names'))
      expect(named.map(({ key }) => key)).toEqual(listed.map(({ key }) => key))
    })

    test.each(['nowhere/', 'nowhere/at/all', 'odd-prefix/a.txt/', 'odd-prefix//', 'odd-prefix/../', '../', '/', './'])(
      'lists nothing for the prefix %s, with which no key starts',
      async (prefix) => {
        await storage.put('odd-prefix/a.txt', 'x')
        expect(await keysOf(storage, prefix)).toEqual([])
      },
    )

    test('lists more keys than a page of a bucket holds', async () => {
      const keys = Array.from({ length: 1203 }, (_, i) => `pages/${String(i).padStart(5, '0')}.json`)
      const queue = keys.values()
      await Promise.all(
        Array.from({ length: 16 }, async () => {
          for (const key of queue) await storage.put(key, '{}')
        }),
      )
      expect(await keysOf(storage, 'pages/')).toEqual(keys)
    })

    test("deletes, and deleting what isn't there is no error", async () => {
      await storage.put('gone.txt', 'x')
      await storage.delete('gone.txt')
      await storage.delete('gone.txt')
      await storage.delete('never/was/here.txt')
      expect(await storage.has('gone.txt')).toBe(false)
    })

    test('many puts to one key at once leave one of them whole', async () => {
      const values = Array.from({ length: 20 }, (_, i) => String(i).repeat(10_000))
      await Promise.all(values.map((value) => storage.put('race.txt', value)))
      expect(values).toContain(await text(storage, 'race.txt'))
      expect(await keysOf(storage, 'race')).toEqual(['race.txt'])
    })

    test('keys with spaces and letters of any script work', async () => {
      const keys = ['odd/a b+c%20.txt', 'odd/Zürich/山.osm.pbf', 'odd/__proto__']
      for (const key of keys) await storage.put(key, key)
      for (const key of keys) expect(await text(storage, key)).toBe(key)
      expect(await keysOf(storage, 'odd/')).toEqual([...keys].sort((a, b) => (a < b ? -1 : 1)))
    })

    test.each([
      '',
      '/etc/passwd',
      '../x',
      'a/../../x',
      'a/..',
      './a',
      'a//b',
      'a/',
      'a\u0000b',
      'a\\b',
      'a\nb',
      'a/\ud800',
      'x'.repeat(1025),
    ])('refuses %j as a key', async (key) => {
      const fault = { code: 'bad-key' }
      await expect(storage.put(key, 'x')).rejects.toMatchObject(fault)
      await expect(storage.get(key)).rejects.toMatchObject(fault)
      await expect(storage.has(key)).rejects.toMatchObject(fault)
      await expect(storage.delete(key)).rejects.toMatchObject(fault)
      await expect(Array.fromAsync(storage.stream(key))).rejects.toMatchObject(fault)
    })
  })
}
