import { createHash } from 'node:crypto'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import {
  type _Object,
  AbortMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import {
  InputError,
  isRefusedHost,
  messageOf,
  redact,
  ServiceError,
  SkyscriptError,
  type Storage,
} from '@skyscript/core'
import { checkedLookup, proxyEnvironment } from '@skyscript/http'
import { bytesOf, checkKey, counted } from './keys.ts'
import { createPutIfAbsent } from './put-if-absent.ts'

/** Tries of one request; the SDK waits longer before each, with jitter. */
const ATTEMPTS = 5
/** Parts of a stream, each sent whole: 8 MiB x 10,000 parts hold 78 GiB, and two of them are in memory. */
const PART_BYTES = 8 << 20
/** A server that says nothing for so long has lost the request. */
const SILENCE_MS = 30_000
const CONNECT_MS = 5_000
/** Requests at a time; more wait for a connection. */
const MAX_SOCKETS = 64

type Environment = Readonly<Record<string, string | undefined>>

/**
 * A dataset in a bucket. Region, credentials and endpoint come from the environment as for the AWS command line
 * (AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL).
 *
 * @param url s3://bucket/prefix
 * @throws InputError `bad-storage-url`, `no-bucket`, `access-denied`; ServiceError `storage-unreachable`
 */
export async function openS3(url: string, environment: Environment = process.env): Promise<Storage> {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*?))?\/*$/.exec(url)
  if (!match) throw new InputError('bad-storage-url', `${redact(url)} is not of the form s3://bucket/prefix.`)
  const bucket = match[1]!
  const prefix = match[2] ? `${match[2]}/` : ''
  if (prefix) checkKey(match[2]!)
  const shown = `s3://${bucket}/${prefix}`.replace(/\/$/, '')
  const client = createClient(environment)

  const run = <T>(task: () => Promise<T>): Promise<T> =>
    task().catch((error) => {
      throw asOurs(error, shown)
    })
  const at = (key: string) => {
    checkKey(key)
    return { Bucket: bucket, Key: prefix + key }
  }

  /** The bytes of a key in pieces. A connection that breaks is taken up again where it broke. */
  async function* read(key: string): AsyncGenerator<Uint8Array> {
    let received = 0
    let version: string | undefined
    for (let tries = 1; ; tries++) {
      try {
        const rest = received > 0 ? { Range: `bytes=${received}-`, IfMatch: version } : {}
        const { Body, ContentLength, ETag } = await client.send(new GetObjectCommand({ ...at(key), ...rest }))
        version = ETag
        const end = ContentLength === undefined ? undefined : received + ContentLength
        for await (const piece of Body as AsyncIterable<Uint8Array>) {
          received += piece.length
          tries = 1
          yield piece
        }
        if (end !== undefined && received !== end) throw cutOff(key, shown)
        return
      } catch (error) {
        // Nothing follows what was received: only the end of the answer was lost.
        if (received > 0 && statusOf(error) === 416) return
        // An answer with an error status was already retried by the SDK.
        if (statusOf(error) !== undefined || error instanceof InputError || tries >= ATTEMPTS) throw error
        await pause(tries)
      }
    }
  }

  const sizeOf = (key: string) =>
    ifThere(key, async () => (await client.send(new HeadObjectCommand(at(key)))).ContentLength ?? 0)

  /** What the task gives of a key; null where there is no such key. */
  async function ifThere<T>(key: string, task: () => Promise<T>): Promise<T | null> {
    for (let tries = 1; ; tries++) {
      try {
        return await task()
      } catch (error) {
        if (await isAbsent(key, error)) return null
        // It may have come between the refusal and the list.
        if (statusOf(error) !== 403 || tries === 2) throw error
      }
    }
  }

  /**
   * Whether a key that could not be had is not there. A login that may list only below a prefix is refused (403) what
   * doesn't exist, since S3 says no more than a list would; so it lists.
   */
  async function isAbsent(key: string, error: unknown): Promise<boolean> {
    if (isMissing(error)) return true
    if (statusOf(error) !== 403) return false
    const one = new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + key, MaxKeys: 1 })
    return client.send(one).then(
      ({ Contents }) => Contents?.[0]?.Key !== prefix + key,
      () => false,
    )
  }

  const putWhole = (key: string, value: Uint8Array | string, condition: { IfNoneMatch?: string } = {}) => {
    const Body = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
    const ContentMD5 = createHash('md5').update(Body).digest('base64')
    return client.send(new PutObjectCommand({ ...at(key), Body, ContentMD5, ...condition }))
  }
  const putIfAbsent = createPutIfAbsent({
    put: async (key, value) => {
      await run(() => putWhole(key, value))
    },
    /** @returns whether it was stored; null where the server refuses the condition itself */
    putConditionally: async (key, value) => {
      try {
        await putWhole(key, value, { IfNoneMatch: '*' })
        return true
      } catch (error) {
        const status = statusOf(error)
        // 409: another put of the same key was under way.
        if (status === 412 || status === 409) return false
        if (status === 400 || status === 501) return null
        throw asOurs(error, shown)
      }
    },
    get: (key) => storage.get(key),
    has: (key) => storage.has(key),
    delete: (key) => storage.delete(key),
    list: async (keyPrefix) => {
      const page = await run(() =>
        client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + keyPrefix })),
      )
      return (page.Contents ?? []).map(({ Key, LastModified }) => ({
        key: Key!.slice(prefix.length),
        modified: LastModified?.getTime() ?? 0,
      }))
    },
  })

  // The right that every build needs, and no more: a key may be limited to what is below its prefix.
  await run(() => client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, MaxKeys: 1 })))

  const storage: Storage = {
    url: shown,
    async get(key) {
      const pieces = await run(() => ifThere(key, () => Array.fromAsync(read(key))))
      return pieces?.length === 1 ? pieces[0]! : pieces && Buffer.concat(pieces)
    },
    async *stream(key) {
      try {
        yield* read(key)
      } catch (error) {
        if (!(await isAbsent(key, error))) throw asOurs(error, shown)
        throw new ServiceError('missing-key', `${key} is not in ${shown}.`, { retry: false, cause: error })
      }
    },
    async put(key, value) {
      if (typeof value === 'string' || value instanceof Uint8Array) {
        await run(() => putWhole(key, value))
        return
      }
      const source = counted(bytesOf(value))
      const faults: unknown[] = []
      const body = ReadableStream.from(remembering(source.pieces, faults))
      await run(() =>
        new Upload({ client, params: { ...at(key), Body: body }, partSize: PART_BYTES, queueSize: 2 }).done(),
      ).catch((error) => {
        // What the value itself threw while it was made goes to the caller as it is.
        throw faults.length > 0 ? faults[0] : error
      })
      const stored = await run(() => sizeOf(key))
      if (stored === source.total()) return
      await run(() => client.send(new DeleteObjectCommand(at(key))))
      throw cutOff(key, shown)
    },
    putIfAbsent,
    async has(key) {
      return run(async () => (await sizeOf(key)) !== null)
    },
    async *list(keyPrefix, depth) {
      let token: string | undefined
      do {
        const where = { Bucket: bucket, Prefix: prefix + keyPrefix, ContinuationToken: token, Delimiter: depth && '/' }
        const page = await run(() => client.send(new ListObjectsV2Command(where)))
        const folders = (page.CommonPrefixes ?? []).map(({ Prefix }): _Object => ({ Key: Prefix }))
        const found = [...(page.Contents ?? []), ...folders]
        if (depth) found.sort((a, b) => (a.Key! < b.Key! ? -1 : 1))
        for (const { Key, Size = 0, ETag = '' } of found)
          yield { key: Key!.slice(prefix.length), size: Size, version: ETag }
        token = page.IsTruncated ? page.NextContinuationToken : undefined
      } while (token !== undefined)
    },
    async delete(key) {
      await run(() => client.send(new DeleteObjectCommand(at(key))))
    },
    async abortUploads(isOurs) {
      try {
        let markers = {}
        for (;;) {
          const page = await client.send(
            new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...markers }),
          )
          for (const { Key, UploadId } of page.Uploads ?? []) {
            if (Key?.startsWith(prefix) && isOurs(Key.slice(prefix.length)))
              await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }))
          }
          if (!page.IsTruncated) return
          markers = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
        }
      } catch (error) {
        // Many servers don't list uploads, and a login may lack that right; the dataset is whole without.
        if (statusOf(error) === undefined) throw asOurs(error, shown)
      }
    },
  }
  return storage
}

function createClient(environment: Environment): S3Client {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL
  if (endpoint && isRefusedHost(URL.parse(endpoint)?.hostname ?? ''))
    throw new InputError(
      'bad-storage-url',
      'AWS_ENDPOINT_URL leads to a link-local address or a metadata service; correct it.',
    )
  const {
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
    AWS_SESSION_TOKEN: sessionToken,
  } = environment
  const connections = {
    keepAlive: true,
    maxSockets: MAX_SOCKETS,
    lookup: checkedLookup,
    proxyEnv: proxyEnvironment(environment),
  }
  return new S3Client({
    region: environment.AWS_REGION ?? environment.AWS_DEFAULT_REGION ?? 'us-east-1',
    maxAttempts: ATTEMPTS,
    // Servers other than Amazon's know the older checksums only.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    requestHandler: {
      connectionTimeout: CONNECT_MS,
      socketTimeout: SILENCE_MS,
      httpAgent: new HttpAgent(connections),
      httpsAgent: new HttpsAgent(connections),
    },
    // Without keys in the environment the SDK looks for a profile or a machine's own role.
    ...(accessKeyId &&
      secretAccessKey && { credentials: { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) } }),
    // Servers other than Amazon's rarely answer under a host name for each bucket.
    ...(endpoint && { endpoint, forcePathStyle: true }),
  })
}

/** Passes pieces on, and keeps what making them threw. */
async function* remembering(pieces: AsyncIterable<Uint8Array>, faults: unknown[]): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces
  } catch (error) {
    faults.push(error)
    throw error
  }
}

function pause(tries: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * 200 * 2 ** tries))
}

interface SdkError {
  readonly name?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

function statusOf(error: unknown): number | undefined {
  return (error as SdkError | undefined)?.$metadata?.httpStatusCode
}

function isMissing(error: unknown): boolean {
  const { name } = error as SdkError
  return name === 'NoSuchKey' || name === 'NotFound'
}

const cutOff = (key: string, url: string) =>
  new ServiceError('storage-cut', `${key} went incomplete to or from ${url}.`, { retry: true })

const noBucket = (url: string) =>
  new InputError('no-bucket', `There is no bucket for ${url}; make it, or correct output in the region file.`)

function asOurs(error: unknown, url: string): unknown {
  if (error instanceof SkyscriptError) return error
  const { name } = error as SdkError
  const status = statusOf(error)
  if (name === 'NoSuchBucket') return noBucket(url)
  if (status === 401 || status === 403 || name === 'CredentialsProviderError') {
    return new InputError(
      'access-denied',
      `${url} refuses access; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the bucket's policy.`,
    )
  }
  const reason = messageOf(error) || name || 'no reason given'
  const options = { retry: true, cause: error, ...(status !== undefined && { status }) }
  return new ServiceError('storage-unreachable', `${url} did not answer as it should (${reason}).`, options)
}
