import {
  DataFault,
  type Dropped,
  type Failed,
  fileStem,
  fingerprint,
  type ImageCandidate,
  type ImageRecord,
  InputError,
  messageOf,
  type Outcome,
  PARTITIONS,
  type PlannedImage,
  ServiceError,
  SkyscriptError,
  type Storage,
  seededIndex,
  sha256,
} from '@skyscript/core'
import sharp from 'sharp'
import type { EarthEngine } from './client.ts'
import { pixelsOf } from './expressions.ts'
import { parseNpy } from './npy.ts'
import { pixelFault } from './pixel-checks.ts'
import { SOURCES } from './sources/sources.ts'

/** Raise when the same request gives another JPEG, or is judged in another way. */
const ENCODING_VERSION = 1
/** About 16 KB for an image of 300 pixels a side, the original's mean. */
const JPEG = { quality: 82, chromaSubsampling: '4:2:0', mozjpeg: false } as const
/** Tries for a body that is no NPY; requests that fail outright are retried by the client. */
const BODY_ATTEMPTS = 3
/** Objects of one call in flight; the limiter of the client decides how many requests really are. */
const IN_FLIGHT = 48

export interface FetchContext {
  readonly ee: EarthEngine
  readonly storage: Storage
  readonly seed: number
  /**
   * Records of earlier runs, by object: their file is kept if its sha256 is still the same and the request is that of
   * the best candidate, or of the best after those that were passed over then too.
   */
  readonly previous: ReadonlyMap<string, ImageRecord>
  readonly signal: AbortSignal
  readonly onDone?: () => void
}

/** A name for everything that decides an image's bytes: source image, grid, encoding. */
export function requestFingerprint({ source, imageId, box, width, height }: ImageCandidate): string {
  return fingerprint(
    ENCODING_VERSION,
    JPEG,
    source,
    imageId,
    box,
    width,
    height,
    SOURCES[source].bands,
    SOURCES[source].range,
  )
}

/**
 * Fetches one JPEG (3-channel RGB) for each planned image: the first candidate that passes the pixel checks. An object
 * whose candidates all fail them is dropped with the reason of the first; one whose requests fail is `failed`.
 */
export async function fetchImages(
  planned: readonly PlannedImage[],
  context: FetchContext,
): Promise<Outcome<ImageRecord>> {
  const results = new Array<{ kept: ImageRecord } | { dropped: Dropped } | { failed: Failed }>(planned.length)
  const queue = planned.entries()
  const serve = async () => {
    for (const [i, image] of queue) {
      context.signal.throwIfAborted()
      results[i] = await fetchOne(image, context)
      context.onDone?.()
    }
  }
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, planned.length) }, serve))
  return {
    kept: results.flatMap((result) => ('kept' in result ? [result.kept] : [])),
    dropped: results.flatMap((result) => ('dropped' in result ? [result.dropped] : [])),
    failed: results.flatMap((result) => ('failed' in result ? [result.failed] : [])),
  }
}

async function fetchOne(
  { id, candidates }: PlannedImage,
  context: FetchContext,
): Promise<{ kept: ImageRecord } | { dropped: Dropped } | { failed: Failed }> {
  const before = await intact(id, context)
  const requests = candidates.map(requestFingerprint)
  const ready = before === null ? -1 : requests.indexOf(requestFingerprint(before))
  let reason: string | undefined
  for (const [i, candidate] of candidates.entries()) {
    const filepath = filepathOf(id, candidate, context.seed)
    if (before !== null && i === ready && filepath === before.filepath)
      return { kept: recordOf(id, candidate, before, requests.slice(0, i)) }
    // It did not serve when the image that is ready was chosen: the same question has the same answer.
    if (i < ready && before?.passedOver?.includes(requests[i]!)) continue
    try {
      const jpeg = await fetchJpeg(candidate, context)
      await context.storage.put(filepath, jpeg)
      const file = { filepath, bytes: jpeg.length, sha256: sha256(jpeg) }
      return { kept: recordOf(id, candidate, file, requests.slice(0, i)) }
    } catch (error) {
      if (context.signal.aborted) throw context.signal.reason
      if (error instanceof DataFault) reason ??= error.code
      // This image can't be had as asked (some old ones lack a band): another may do.
      else if (error instanceof ServiceError && error.status === 400) reason ??= 'image-refused'
      else if (error instanceof ServiceError && error.status === 404) reason ??= 'image-gone'
      else if (error instanceof InputError || !(error instanceof SkyscriptError)) throw error
      else return { failed: { id, code: error.code, message: messageOf(error) } }
    }
  }
  return { dropped: { id, reason: reason ?? 'no-image-here' } }
}

/** The record of an earlier run, if its file is still as it was. */
async function intact(id: string, { previous, storage }: FetchContext): Promise<ImageRecord | null> {
  const record = previous.get(id)
  if (!record) return null
  const bytes = await storage.get(record.filepath)
  return bytes !== null && sha256(bytes) === record.sha256 ? record : null
}

/** The same whether the file was fetched now or is of an earlier run. */
function recordOf(
  id: string,
  candidate: ImageCandidate,
  { filepath, bytes, sha256 }: Pick<ImageRecord, 'filepath' | 'bytes' | 'sha256'>,
  passedOver: readonly string[],
): ImageRecord {
  return { id, ...candidate, filepath, bytes, sha256, ...(passedOver.length > 0 && { passedOver }) }
}

async function fetchJpeg(candidate: ImageCandidate, { ee, signal }: FetchContext): Promise<Buffer> {
  const { source, imageId, box, width, height } = candidate
  const grid = {
    width,
    height,
    west: box[0],
    north: box[3],
    degreesPerPixelX: (box[2] - box[0]) / width,
    degreesPerPixelY: (box[3] - box[1]) / height,
  }
  for (let attempt = 1; ; attempt++) {
    const body = await ee.pixels(pixelsOf(SOURCES[source], imageId), grid, signal)
    let pixels: Buffer
    try {
      pixels = parseNpy(body, width, height)
    } catch (error) {
      if (attempt === BODY_ATTEMPTS) throw error
      continue
    }
    const fault = pixelFault(pixels, SOURCES[source])
    if (fault !== null) throw new DataFault(fault, `${imageId} does not serve.`)
    return sharp(pixels, { raw: { width, height, channels: 4 } })
      .removeAlpha()
      .jpeg(JPEG)
      .toBuffer()
  }
}

function filepathOf(id: string, { source, time }: ImageCandidate, seed: number): string {
  const partition = PARTITIONS[seededIndex(seed, 'folder', id, PARTITIONS.length)]!
  return `images${partition}/${fileStem(id, source, time)}.jpg`
}
