/**
 * An S3 server in memory, for what s3rver doesn't do: conditional puts, lists of unfinished uploads, and a login that may
 * only list, read and write below a prefix, refused as Amazon refuses it. It checks no signatures.
 */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface StrictS3 {
  readonly env: Readonly<Record<string, string>>
  /** Values by key of the one bucket, `bucket`. */
  readonly objects: ReadonlyMap<string, Buffer>
  /** Keys of unfinished uploads. */
  uploads(): string[]
  /** `<method> <path>` of what was refused. */
  readonly refused: readonly string[]
  stop(): Promise<void>
}

/** @param within the prefix that the login is limited to */
export async function startStrictS3({ within = '' }: { readonly within?: string } = {}): Promise<StrictS3> {
  const objects = new Map<string, { bytes: Buffer; modified: Date }>()
  const uploads = new Map<string, { key: string; parts: Map<number, Buffer> }>()
  const refused: string[] = []

  const answer = (response: ServerResponse, status: number, body = '', headers: Record<string, string> = {}) => {
    response.writeHead(status, { 'Content-Type': 'application/xml', ...headers }).end(body)
  }
  const fail = (request: IncomingMessage, response: ServerResponse, status: number, code: string) => {
    refused.push(`${request.method} ${request.url}`)
    answer(
      response,
      status,
      request.method === 'HEAD' ? '' : `<Error><Code>${code}</Code><Message>${code}</Message></Error>`,
    )
  }

  const server = createServer(async (request, response) => {
    const url = new URL(request.url!, 'http://x')
    const [, bucket, ...rest] = url.pathname.split('/').map(decodeURIComponent)
    const key = rest.join('/')
    const query = url.searchParams
    const body = Buffer.concat(await Array.fromAsync(request as AsyncIterable<Buffer>))
    const isList = request.method === 'GET' && key === ''
    const place = isList ? (query.get('prefix') ?? '') : key
    if (!place.startsWith(within) || (within !== '' && key === '' && !isList))
      return fail(request, response, 403, 'AccessDenied')
    if (bucket !== 'bucket') return fail(request, response, 404, 'NoSuchBucket')

    if (isList && query.has('uploads')) {
      const found = [...uploads].filter(([, upload]) => upload.key.startsWith(place))
      const xml = found.map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`).join('')
      return answer(response, 200, `<ListMultipartUploadsResult>${xml}</ListMultipartUploadsResult>`)
    }
    if (isList) {
      const from = query.get('continuation-token') ?? ''
      const most = Number(query.get('max-keys') ?? 1000)
      const folderOf = (name: string) => {
        const end = query.get('delimiter') === '/' ? name.indexOf('/', place.length) + 1 : 0
        return end === 0 ? null : name.slice(0, end)
      }
      // A folder stands on the page of its first key only.
      const isNext = (name: string) => name > from && !(folderOf(name) !== null && from.startsWith(folderOf(name)!))
      const found = [...objects]
        .filter(([name]) => name.startsWith(place) && isNext(name))
        .sort(([a], [b]) => (a < b ? -1 : 1))
      const page = found.slice(0, most)
      const folders = new Set(page.flatMap(([name]) => folderOf(name) ?? []))
      const prefixes = [...folders].map((each) => `<CommonPrefixes><Prefix>${each}</Prefix></CommonPrefixes>`).join('')
      const files = page.filter(([name]) => folderOf(name) === null)
      const xml = files.map(
        ([name, { bytes, modified }]) =>
          `<Contents><Key>${name}</Key><Size>${bytes.length}</Size><LastModified>${modified.toISOString()}</LastModified><ETag>${etagOf(bytes)}</ETag></Contents>`,
      )
      const more = found.length > most
      const next = more ? `<NextContinuationToken>${page.at(-1)![0]}</NextContinuationToken>` : ''
      return answer(
        response,
        200,
        `<ListBucketResult><IsTruncated>${more}</IsTruncated>${next}${xml.join('')}${prefixes}</ListBucketResult>`,
      )
    }

    const stored = objects.get(key)
    const upload = uploads.get(query.get('uploadId') ?? '')
    if (request.method === 'POST' && query.has('uploads')) {
      const id = randomUUID()
      uploads.set(id, { key, parts: new Map() })
      return answer(
        response,
        200,
        `<InitiateMultipartUploadResult><Key>${key}</Key><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
      )
    }
    if (query.has('uploadId')) {
      if (!upload) return fail(request, response, 404, 'NoSuchUpload')
      if (request.method === 'PUT') {
        upload.parts.set(Number(query.get('partNumber')), body)
        return answer(response, 200, '', { ETag: etagOf(body) })
      }
      uploads.delete(query.get('uploadId')!)
      if (request.method === 'DELETE') return answer(response, 204)
      const bytes = Buffer.concat([...upload.parts].sort(([a], [b]) => a - b).map(([, part]) => part))
      objects.set(key, { bytes, modified: new Date() })
      return answer(
        response,
        200,
        `<CompleteMultipartUploadResult><ETag>${etagOf(bytes)}</ETag></CompleteMultipartUploadResult>`,
      )
    }
    if (request.method === 'PUT') {
      if (request.headers['if-none-match'] === '*' && stored) return fail(request, response, 412, 'PreconditionFailed')
      objects.set(key, { bytes: body, modified: new Date() })
      return answer(response, 200, '', { ETag: etagOf(body) })
    }
    if (request.method === 'DELETE') {
      objects.delete(key)
      return answer(response, 204)
    }
    // Without the right to list the whole bucket, what isn't there is told as what may not be seen.
    if (!stored) return fail(request, response, within === '' ? 404 : 403, within === '' ? 'NoSuchKey' : 'AccessDenied')
    const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(from > 0 ? 206 : 200, {
      'Content-Length': stored.bytes.length - from,
      ETag: etagOf(stored.bytes),
    })
    response.end(request.method === 'HEAD' ? undefined : stored.bytes.subarray(from))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    env: {
      AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'key',
      AWS_SECRET_ACCESS_KEY: 'secret',
    },
    get objects() {
      return new Map([...objects].map(([key, { bytes }]) => [key, bytes]))
    },
    uploads: () => [...uploads.values()].map(({ key }) => key).sort(),
    refused,
    async stop() {
      server.closeAllConnections()
      server.close()
    },
  }
}

const etagOf = (bytes: Buffer) => `"${createHash('md5').update(bytes).digest('hex')}"`
