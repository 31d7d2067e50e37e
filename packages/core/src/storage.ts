export interface Listed {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Another one whenever the value may have changed: a time of change, or an ETag. */
  readonly version?: string
}

/**
 * Where a dataset lives: a folder or a bucket prefix. Keys are relative paths with forward slashes.
 *
 * A value is there whole or not at all: `put` becomes visible in one step (temp file + rename, or one PUT), which is
 * what lets "the key exists" mean "the work is done". Errors are ServiceError (worth a retry or not) or InputError.
 */
export interface Storage {
  /** For messages; holds no secret. */
  readonly url: string
  /** The whole value, or null where the key doesn't exist. */
  get(key: string): Promise<Uint8Array | null>
  /** The value in chunks; throws a ServiceError `missing-key` where the key doesn't exist. */
  stream(key: string): AsyncIterable<Uint8Array>
  put(key: string, value: Uint8Array | string | AsyncIterable<Uint8Array | string>): Promise<void>
  /** Stores a value where the key doesn't exist yet, and says whether it did: of several that try at once one succeeds. */
  putIfAbsent(key: string, value: Uint8Array | string): Promise<boolean>
  has(key: string): Promise<boolean>
  /**
   * Keys that start with `prefix`, sorted by UTF-16 code units. `shallow`: of the keys in a folder below the prefix only
   * the folder, with a slash at its end and size 0. `names`: the same, but sizes may be 0 and versions missing, which a folder
   * lists several times faster.
   */
  list(prefix: string, depth?: 'shallow' | 'names'): AsyncIterable<Listed>
  /** Deleting what isn't there is no error. */
  delete(key: string): Promise<void>
  /**
   * Ends uploads in parts that killed processes left behind: they cost money, and no list shows them. Only the
   * owner of the output may call it.
   *
   * @param isOurs whether a key belongs to the dataset
   */
  abortUploads?(isOurs: (key: string) => boolean): Promise<void>
  /** Where the value is a file of this machine: its path. */
  localPath?(key: string): string
}

/** A JSON value, or null where the key doesn't exist. */
export async function getJson<T>(storage: Storage, key: string): Promise<T | null> {
  const bytes = await storage.get(key)
  return bytes === null ? null : (JSON.parse(Buffer.from(bytes).toString('utf8')) as T)
}

export async function putJson(storage: Storage, key: string, value: unknown): Promise<void> {
  await storage.put(key, `${JSON.stringify(value)}\n`)
}
