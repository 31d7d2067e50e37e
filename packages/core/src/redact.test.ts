import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { redact, redactAnswer, unsignedUrl } from './redact.ts'

describe('what is redacted', () => {
  const SECRET = 'hunter2SECRET'
  test.each([
    `redis://user:${SECRET}@host:6379 said no`,
    `redis://:p@${SECRET}@host:6379/0`,
    `redis://:${SECRET}/ss@host`,
    `redis://:${SECRET}?a#b@host`,
    `https://user:p/${SECRET}@host/x`,
    `https://me:p@ss/${SECRET}@host/x`,
    `https://proxy.example/https://me:${SECRET}@host/x`,
    `https://h.example/x?v=1&X-Goog-Signature=${SECRET}`,
    `https://h.example/x?sv=2024&sig=${SECRET}%3D&se=2030`,
    `https://h.example/x?unheard-of=${SECRET}`,
    `https://h.example/x?${SECRET}`,
    `https://h.example/x#access_token=${SECRET}`,
    `https://h.example/x?next=https://other.example/?k=${SECRET}`,
    `"https://h.example/x?a[0]=${SECRET}"`,
    `GET /x?key=${SECRET} failed`,
    `Authorization: Bearer ${SECRET}`,
    `{"authorization":"Basic ${SECRET}"}`,
    `{ authorization: 'Digest username="me", response="${SECRET}"' }`,
    `Basic ${Buffer.from(`me:${SECRET}`).toString('base64')}`,
    `x-api-key: ${SECRET}`,
    `"api_key": "${SECRET}"`,
    `AWS_SECRET_ACCESS_KEY=${SECRET}`,
    `SKYSCRIPT_REDIS_PASSWORD=${SECRET}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\n${SECRET}`,
  ])('%s', (text) => {
    expect(redact(text)).not.toContain(SECRET)
    expect(redact(text)).not.toContain(Buffer.from(`me:${SECRET}`).toString('base64'))
    expect(redact(text)).toContain('***')
  })

  test('are tokens that say what they are', () => {
    const tokens = ['AKIAIOSFODNN7EXAMPLE', `AIza${'x'.repeat(35)}`, 'ya29.a0AfH6', `hf_${'a'.repeat(34)}`]
    for (const token of tokens) expect(redact(`got ${token} there`)).toBe('got *** there')
  })

  test.each([
    'https://download.geofabrik.de/europe/andorra-latest.osm.pbf could not be downloaded (HTTP 404); check the URL.',
    'https://developers.google.com/earth-engine/guides/usage#limits',
    's3://bucket/prefix@v2/key',
    'Xenova/clip-vit-base-patch32@main',
    'imagery.earthEngine.credentials: /keys/a@b.json is not JSON; download a JSON key of a service account.',
    'basic settings, bearing 12, signatures: 3',
    'http://127.0.0.1:8080 did not answer (connect ECONNREFUSED 127.0.0.1:8080)',
    'http://[::1]:8080/v1/x',
  ])('is not: %s', (text) => {
    expect(redact(text)).toBe(text)
  })

  test('keeps hosts, paths and the names of queries, so that a message still says what was asked', () => {
    expect(redact('https://me:pw@h.example:8443/a/b.tif?sig=abc&v=2#top')).toBe(
      'https://***@h.example:8443/a/b.tif?sig=***&v=***#top',
    )
    expect(redact('redis://:p@ss@host:6379/0')).toBe('redis://***@host:6379/0')
  })
})

describe('redacting', () => {
  const HOSTILE = {
    'letters that could begin a scheme': (n: number) => 'a'.repeat(n),
    'schemes without an end': (n: number) => 'a://'.repeat(n / 4),
    'logins without a host': (n: number) => `https://${'a:'.repeat(n / 2)}`,
    'at signs': (n: number) => `redis://${'@'.repeat(n)}`,
    'marks of queries': (n: number) => `https://h/${'?'.repeat(n)}`,
    'names of queries': (n: number) => '?a'.repeat(n / 2),
    'headers without a value': (n: number) => 'authorization: '.repeat(n / 15),
    'blanks behind a header': (n: number) => `bearer${' '.repeat(n)}`,
    'keys that don’t end': (n: number) => '-----BEGIN PRIVATE KEY-----'.repeat(n / 27),
    'names of secrets': (n: number) => 'password'.repeat(n / 8),
    'half a JWT': (n: number) => 'eyJaaaaaaaa'.repeat(n / 11),
    'half a key': (n: number) => '-----BEGIN AAAA '.repeat(n / 16),
  }

  /** Time of this process in the fastest of some runs, which other processes disturb least; in ms. */
  function timeOf(text: string): number {
    return Math.min(
      ...Array.from({ length: 3 }, () => {
        const before = process.cpuUsage()
        redact(text)
        return process.cpuUsage(before).user / 1000
      }),
    )
  }

  test.each(Object.entries(HOSTILE))('takes time linear in the length of %s', (_name, make) => {
    // Four times the text takes 16 times as long where time is quadratic; below 100 ms the clock is too coarse.
    const [short, long] = [timeOf(make(200_000)), timeOf(make(800_000))]
    expect(long).toBeLessThan(Math.max(100, short * 10))
  })

  test('never throws, and is done after one pass', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => {
        expect(typeof redact(text)).toBe('string')
      }),
    )
    const part = fc.constantFrom('redis://', 'https://', 'a', ':', '@', '/', '?', '=', '&', '#', ' ', '"', 'x.example')
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
        const once = redact(parts.join(''))
        expect(redact(once)).toBe(once)
      }),
    )
  })

  test('leaves no login in any address that a URL parser understands', () => {
    const piece = fc.string({ unit: fc.constantFrom(...'aZ0-._~@:!$*+'), minLength: 8, maxLength: 12 })
    fc.assert(
      fc.property(fc.constantFrom('redis', 'https', 'http', 'rediss'), piece, (scheme, password) => {
        const address = `${scheme}://user:${password}@host.example/path`
        fc.pre(URL.canParse(address))
        expect(redact(`see ${address} there`)).toBe(`see ${scheme}://***@host.example/path there`)
      }),
    )
  })
})

test('what a server quotes of an address is hidden, written as it may be', () => {
  const asked = 'https://me:p%40ssword@h.example/a?v=1&sig=ab%2Fcd%3D'
  expect(redactAnswer('1 signature ab/cd= or ab%2Fcd%3D of p@ssword and p%40ssword is wrong', asked)).toBe(
    '1 signature *** or *** of *** and *** is wrong',
  )
})

test('a link that is signed anew is the same but for its signature', () => {
  const plain = 'https://h.example/a.tif?v=2'
  expect(unsignedUrl('https://h.example/a.tif?v=2&X-Amz-Date=1&X-Amz-Signature=abc#x')).toBe(plain)
  expect(unsignedUrl('https://me:pw@h.example/a.tif?X-Goog-Credential=me&v=2&X-Goog-Signature=abc')).toBe(plain)
  expect(unsignedUrl('https://h.example/a.tif?sv=2024&se=2030&sr=b&sp=r&sig=abc%3D&v=2')).toBe(plain)
  expect(unsignedUrl('https://h.example/a.tif?se=south&sp=2')).toBe('https://h.example/a.tif?se=south&sp=2')
  expect(unsignedUrl('a.tif')).toBe('a.tif')
})
