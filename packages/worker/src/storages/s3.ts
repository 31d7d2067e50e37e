import { createHash } from 'node:crypto'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { InputError, messageOf, redact, ServiceError, SkyscriptError, type Storage } from '@skyscript/core'
import { checkedLookup, proxyEnvironment } from '@skyscript/http'
import { bytesOf, checkKey, counted } from './keys.ts'

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
        // An answer with an error status was already retried by the SDK.
        if (statusOf(error) !== undefined || error instanceof InputError || tries >= ATTEMPTS) throw error
        await pause(tries)
      }
    }
  }

  async function sizeOf(key: string): Promise<number | null> {
    try {
      return (await client.send(new HeadObjectCommand(at(key)))).ContentLength ?? 0
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  await run(() => client.send(new HeadBucketCommand({ Bucket: bucket }))).catch((error) => {
    throw statusOf(error.cause) === 404 ? noBucket(shown) : error
  })

  return {
    url: shown,
    async get(key) {
      try {
        const pieces = await Array.fromAsync(read(key))
        return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces)
      } catch (error) {
        if (isMissing(error)) return null
        throw asOurs(error, shown)
      }
    },
    async *stream(key) {
      try {
        yield* read(key)
      } catch (error) {
        if (!isMissing(error)) throw asOurs(error, shown)
        throw new ServiceError('missing-key', `${key} is not in ${shown}.`, { retry: false, cause: error })
      }
    },
    async put(key, value) {
      if (typeof value === 'string' || value instanceof Uint8Array) {
        const Body = typeof value === 'string' ? Buffer.from(value, 'utf8') : value
        const ContentMD5 = createHash('md5').update(Body).digest('base64')
        await run(() => client.send(new PutObjectCommand({ ...at(key), Body, ContentMD5 })))
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
    async has(key) {
      return run(async () => (await sizeOf(key)) !== null)
    },
    async *list(keyPrefix) {
      let token: string | undefined
      do {
        const where = { Bucket: bucket, Prefix: prefix + keyPrefix, ...(token && { ContinuationToken: token }) }
        const page = await run(() => client.send(new ListObjectsV2Command(where)))
        for (const { Key, Size } of page.Contents ?? []) yield { key: Key!.slice(prefix.length), size: Size ?? 0 }
        token = page.IsTruncated ? page.NextContinuationToken : undefined
      } while (token !== undefined)
    },
    async delete(key) {
      await run(() => client.send(new DeleteObjectCommand(at(key))))
    },
  }
}

function createClient(environment: Environment): S3Client {
  const endpoint = environment.AWS_ENDPOINT_URL_S3 ?? environment.AWS_ENDPOINT_URL
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
