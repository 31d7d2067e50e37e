import type { Storage } from '@skyscript/core'
import { openStorage } from '../storages/storages.ts'

/** Where an export goes: `to`, or a folder inside the dataset. */
export async function openTarget(dataset: Storage, format: string, to: string | undefined): Promise<Storage> {
  return to === undefined ? within(dataset, `export/${format}`) : openStorage(to)
}

/** A folder of a storage as a storage. */
function within(storage: Storage, folder: string): Storage {
  const at = (key: string) => `${folder}/${key}`
  return {
    url: `${storage.url}/${folder}`,
    get: (key) => storage.get(at(key)),
    stream: (key) => storage.stream(at(key)),
    put: (key, value) => storage.put(at(key), value),
    putIfAbsent: (key, value) => storage.putIfAbsent(at(key), value),
    has: (key) => storage.has(at(key)),
    async *list(prefix, depth) {
      for await (const found of storage.list(at(prefix), depth))
        yield { ...found, key: found.key.slice(folder.length + 1) }
    },
    delete: (key) => storage.delete(at(key)),
  }
}
