/** An S3 server in this process, for tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'

// s3rver makes its tokens for the next page of a list with single DES, which today's OpenSSL no longer has. Triple DES
// with one key three times is the same cipher.
const crypto = createRequire(import.meta.url)('node:crypto') as Record<
  'createCipheriv' | 'createDecipheriv',
  CipherFactory
>
type CipherFactory = (name: string, key: Buffer, ...rest: unknown[]) => unknown
for (const name of ['createCipheriv', 'createDecipheriv'] as const) {
  const original = crypto[name]
  crypto[name] = (cipher, key, ...rest) =>
    cipher === 'des'
      ? original('des-ede3-cbc', Buffer.concat([key, key, key]), ...rest)
      : original(cipher, key, ...rest)
}

export interface S3Server {
  readonly endpoint: string
  readonly bucket: string
  /** `s3://bucket` */
  readonly url: string
  /** What a process needs in its environment to use it. */
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export async function startS3(bucket = 'skyscript'): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'skyscript-s3-'))
  const server = new S3rver({
    port: 0,
    address: '127.0.0.1',
    silent: true,
    directory,
    configureBuckets: [{ name: bucket, configs: [] }],
  })
  sortLists(server)
  const { port } = await server.run()
  const endpoint = `http://127.0.0.1:${port}`
  return {
    endpoint,
    bucket,
    url: `s3://${bucket}`,
    env: {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_REGION: 'us-east-1',
      // The server's own, which it checks signatures with.
      AWS_ACCESS_KEY_ID: 'S3RVER',
      AWS_SECRET_ACCESS_KEY: 'S3RVER',
    },
    async stop() {
      server.httpServer.closeAllConnections()
      await server.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** s3rver lists folder by folder, which is not the order of the keys, and loses keys between two pages. */
function sortLists({ store }: S3rver): void {
  const original = store.listObjects.bind(store)
  store.listObjects = async (bucket, { startAfter = '', maxKeys = Number.POSITIVE_INFINITY, ...options }) => {
    const all = await original(bucket, options)
    const objects = all.objects
      .filter(({ key }) => key > startAfter)
      .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)))
    return { ...all, objects: objects.slice(0, maxKeys), isTruncated: objects.length > maxKeys }
  }
}
