// @module-tag slow
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Fault, type FaultProxy, startFaultProxy } from '../../../../test/support/fault-proxy.ts'
import { type S3Server, startS3 } from '../../../../test/support/s3.ts'
import { type StrictS3, startStrictS3 } from '../../../../test/support/strict-s3.ts'
import { describeStorage } from '../../test/storage-conformance.ts'
import { openS3 } from './s3.ts'

describeStorage('A bucket', async () => {
  const server = await startS3()
  return { open: () => openS3(`${server.url}/some/prefix`, server.env), stop: () => server.stop() }
})

describeStorage('A bucket that knows conditions, with a login for one prefix', async () => {
  const server = await startStrictS3({ within: 'some/prefix/' })
  return { open: () => openS3('s3://bucket/some/prefix', server.env), stop: () => server.stop() }
})

describe('a login that may only list and write below its prefix', () => {
  let server: StrictS3
  beforeAll(async () => {
    server = await startStrictS3({ within: 'maps/malta/' })
  })
  afterAll(() => server.stop())

  test('is enough, and distinguishes what is missing from what is denied', async () => {
    const storage = await openS3('s3://bucket/maps/malta', server.env)
    await storage.put('a.txt', 'a')
    expect(await storage.has('a.txt')).toBe(true)
    expect(await storage.has('b.txt')).toBe(false)
    expect(await storage.get('b.txt')).toBeNull()
    expect((await Array.fromAsync(storage.list(''))).map(({ key }) => key)).toEqual(['a.txt'])
    for (const url of ['s3://bucket/maps', 's3://bucket', 's3://bucket/maps/malta2'])
      await expect(openS3(url, server.env), url).rejects.toMatchObject({ name: 'InputError', code: 'access-denied' })
  })

  test('lets a killed upload be ended, and no upload of others', async () => {
    const storage = await openS3('s3://bucket/maps/malta', server.env)
    const client = new S3Client({
      region: 'us-east-1',
      endpoint: server.env.AWS_ENDPOINT_URL_S3!,
      forcePathStyle: true,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    })
    for (const Key of ['manifest.parquet', 'nested/manifest.parquet'])
      await client.send(new CreateMultipartUploadCommand({ Bucket: 'bucket', Key: `maps/malta/${Key}` }))
    await storage.abortUploads!((key) => !key.startsWith('nested/'))
    expect(server.uploads()).toEqual(['maps/malta/nested/manifest.parquet'])
  })
})

describe('a bucket', () => {
  let server: S3Server
  let proxy: FaultProxy
  let faults: Fault[] = []
  let env: Record<string, string>
  beforeAll(async () => {
    server = await startS3()
    proxy = await startFaultProxy(server.endpoint, () => faults.shift() ?? 'ok')
    env = { ...server.env, AWS_ENDPOINT_URL_S3: proxy.url }
  })
  afterAll(async () => {
    await proxy.stop()
    await server.stop()
  })
  const openWith = async (list: Fault[]) => {
    faults = []
    const storage = await openS3(`${server.url}/faults`, env)
    faults = list
    return storage
  }
  const requestsDuring = async (task: () => Promise<unknown>) => {
    const before = proxy.requests.length
    await task().catch(() => {})
    return proxy.requests.length - before
  }

  test.each<[string, Fault]>([
    ['500', 500],
    ['503', 503],
    ['a connection cut while sending', 'cut-request'],
    ['an answer lost after the commit', 'lose-answer'],
  ])('a put survives %s', async (_, fault) => {
    const storage = await openWith([fault, fault])
    await storage.put('a.txt', 'the value')
    expect(Buffer.from((await storage.get('a.txt'))!).toString()).toBe('the value')
  })

  test('a get survives an answer that breaks off, and resumes there', async () => {
    const value = Buffer.alloc(3_000_000, 'abc')
    const storage = await openWith([])
    await storage.put('long.bin', value)
    faults = ['cut-answer', 503, 'cut-answer']
    expect(Buffer.from((await storage.get('long.bin'))!).equals(value)).toBe(true)
    faults = ['cut-answer', 'cut-answer']
    expect(Buffer.concat(await Array.fromAsync(storage.stream('long.bin'))).equals(value)).toBe(true)
  })

  test('a get whose answer loses only its end is whole', async () => {
    const asked: (string | undefined)[] = []
    const broken = createServer(({ headers, url }, response) => {
      if (url!.includes('list-type')) return void response.end('<ListBucketResult/>')
      asked.push(headers.range)
      if (headers.range !== undefined) return void response.writeHead(416).end()
      // Without a length and without the last chunk, the client can't know that this was all.
      response.writeHead(200, { ETag: '"1"' })
      response.write('all of it', () => response.destroy())
    })
    await new Promise<void>((resolve) => broken.listen(0, '127.0.0.1', resolve))
    const endpoint = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`
    const storage = await openS3('s3://bucket/prefix', { ...env, AWS_ENDPOINT_URL_S3: endpoint })
    expect(Buffer.from((await storage.get('key'))!).toString()).toBe('all of it')
    expect(asked).toEqual([undefined, 'bytes=9-'])
    broken.close()
  })

  test('a part that is lost is sent again, and the whole has its length', async () => {
    const storage = await openWith(['ok', 500, 'cut-request', 'lose-answer'])
    const piece = Buffer.alloc(7_000_000, 'x')
    await storage.put(
      'parts.bin',
      (async function* () {
        for (let i = 0; i < 3; i++) yield piece
      })(),
    )
    expect((await storage.get('parts.bin'))!.length).toBe(21_000_000)
  })

  test('gives up after 5 tries, with a code', async () => {
    const storage = await openWith([])
    for (const fault of [503, 'cut-request', 'cut-answer'] as const) {
      faults = Array(50).fill(fault)
      expect(await requestsDuring(() => storage.put('never.txt', 'x')), String(fault)).toBe(
        fault === 'cut-answer' ? 1 : 5,
      )
    }
    faults = Array(50).fill(503)
    await expect(storage.get('never.txt')).rejects.toMatchObject({
      code: 'storage-unreachable',
      retry: true,
      status: 503,
    })
  })

  test('says what to correct where the bucket, the keys or the server are wrong', async () => {
    faults = []
    await expect(openS3('s3://no-such-bucket/x', server.env)).rejects.toMatchObject({
      name: 'InputError',
      code: 'no-bucket',
    })
    const wrong = { ...server.env, AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'a-wrong-secret' }
    const refused = await openS3(server.url, wrong).catch((error) => error)
    expect(refused).toMatchObject({ name: 'InputError', code: 'access-denied' })
    const away = { ...server.env, AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9', AWS_SECRET_ACCESS_KEY: 'a-wrong-secret' }
    const unreachable = await openS3(server.url, away).catch((error) => error)
    expect(unreachable).toMatchObject({ name: 'ServiceError', code: 'storage-unreachable', retry: true })
    expect(`${refused.message}${unreachable.message}`).not.toContain('a-wrong-secret')
    await expect(openS3('s3://Bad_Bucket')).rejects.toMatchObject({ code: 'bad-storage-url' })
    const metadata = { AWS_ENDPOINT_URL: 'http://169.254.169.254' }
    await expect(openS3('s3://bucket', metadata)).rejects.toMatchObject({ code: 'bad-storage-url' })
    await expect(openS3('s3://user:secret@bucket/x')).rejects.toMatchObject({
      message: expect.not.stringContaining('secret'),
    })
  })
})
