import { randomUUID } from 'node:crypto'
import { ServiceError, type Storage } from '@skyscript/core'

/**
 * Writes, reads, lists and deletes a small object.
 *
 * @throws ServiceError `storage-inconsistent` where it doesn't come back; what the storage throws
 */
export async function tryStorage(storage: Storage): Promise<void> {
  const key = `work/doctor/${randomUUID()}`
  await storage.put(key, 'doctor')
  try {
    const back = await storage.get(key)
    const listed: string[] = []
    for await (const entry of storage.list('work/doctor/')) listed.push(entry.key)
    if (back === null || Buffer.from(back).toString() !== 'doctor' || !listed.includes(key))
      throw new ServiceError(
        'storage-inconsistent',
        `${storage.url} does not give back what was just written; use an S3 service with read-after-write consistency.`,
        { retry: false },
      )
  } finally {
    await storage.delete(key)
  }
}
