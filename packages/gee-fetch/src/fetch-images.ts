import {
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
import { coloursOf, cutOut } from './cut-out.ts'
import { pixelsOf } from './expressions.ts'
import { groupRequests, type PixelRequest } from './grouping.ts'
import { parseNpy } from './npy.ts'
import { pixelFault } from './pixel-checks.ts'
import { SOURCES } from './sources/sources.ts'

/** Raise when the same request gives another JPEG, or is judged in another way. */
const ENCODING_VERSION = 1
/** About 16 KB for an image of 300 pixels a side, the original's mean. */
const JPEG = { quality: 82, chromaSubsampling: '4:2:0', mozjpeg: false } as const
/** Tries for a body that is no NPY; requests that fail outright are retried by the client. */
const BODY_ATTEMPTS = 3
/** Requests of one call at a time; the limiter of the client decides how many really are. */
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
  /** The map tile on whose lattice the boxes lie: images that lie close share requests. null: a request for each. */
  readonly tile?: string | null
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
 *
 * Works in rounds: what is asked for in a round is grouped into as few requests as pay; images whose candidate did not
 * serve are asked for again, by their next one, in the next round.
 */
export async function fetchImages(
  planned: readonly PlannedImage[],
  context: FetchContext,
): Promise<Outcome<ImageRecord>> {
  const searches = await inFlight(planned, (image) => startSearch(image, context), context)
  for (;;) {
    const asking = searches.filter((search) => search.result === null)
    if (asking.length === 0) break
    const requests = groupRequests(
      asking.map((search) => search.image.candidates[search.next]!),
      context.tile ?? null,
    )
    await inFlight(requests, (request) => serve(request, asking, context), context)
  }
  const results = searches.map((search) => search.result!)
  return {
    kept: results.flatMap((result) => ('kept' in result ? [result.kept] : [])),
    dropped: results.flatMap((result) => ('dropped' in result ? [result.dropped] : [])),
    failed: results.flatMap((result) => ('failed' in result ? [result.failed] : [])),
  }
}

/** Runs a task over all items, some at a time. */
async function inFlight<T, R>(
  items: readonly T[],
  task: (item: T) => Promise<R>,
  { signal }: FetchContext,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  const queue = items.entries()
  const work = async () => {
    for (const [i, item] of queue) {
      signal.throwIfAborted()
      results[i] = await task(item)
    }
  }
  await Promise.all(Array.from({ length: Math.min(IN_FLIGHT, items.length) }, work))
  return results
}

/** One object on the way to its image. */
interface Search {
  readonly image: PlannedImage
  readonly requests: readonly string[]
  /** The record of an earlier run whose file is as it was, and the candidate that it is of; -1: of none. */
  readonly before: ImageRecord | null
  readonly ready: number
  /** The candidate that is asked for next. */
  next: number
  /** Why the first candidate that failed the checks did. */
  reason: string | undefined
  result: { kept: ImageRecord } | { dropped: Dropped } | { failed: Failed } | null
}

async function startSearch(image: PlannedImage, context: FetchContext): Promise<Search> {
  const before = await intact(image.id, context)
  const requests = image.candidates.map(requestFingerprint)
  const ready = before === null ? -1 : requests.indexOf(requestFingerprint(before))
  const search: Search = { image, requests, before, ready, next: 0, reason: undefined, result: null }
  settle(search, context)
  return search
}

/** Passes over candidates that need no asking; ends the search where an image is ready, or none is left. */
function settle(search: Search, context: FetchContext): void {
  const { image, requests, before, ready } = search
  // It did not serve when the image that is ready was chosen: the same question has the same answer.
  while (search.next < ready && before?.passedOver?.includes(requests[search.next]!)) search.next++
  const candidate = image.candidates[search.next]
  if (candidate === undefined) {
    end(search, { dropped: { id: image.id, reason: search.reason ?? 'no-image-here' } }, context)
  } else if (before !== null && search.next === ready) {
    const filepath = filepathOf(image.id, candidate, context.seed)
    if (filepath !== before.filepath) return
    end(search, { kept: recordOf(image.id, candidate, before, requests.slice(0, search.next)) }, context)
  }
}

function end(search: Search, result: NonNullable<Search['result']>, context: FetchContext): void {
  search.result = result
  context.onDone?.()
}

/** Asks once and takes each image out of the answer; those that don't serve go on to their next candidate. */
async function serve(request: PixelRequest, asking: readonly Search[], context: FetchContext): Promise<void> {
  let pixels: Buffer
  try {
    pixels = await fetchPixels(request, context)
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason
    for (const { index } of request.parts) refused(asking[index]!, error, context)
    return
  }
  for (const part of request.parts) {
    const search = asking[part.index]!
    const { image, requests, next } = search
    const candidate = image.candidates[next]!
    const own = cutOut(pixels, request.grid.width, part, candidate)
    const fault = pixelFault(own, SOURCES[candidate.source])
    if (fault !== null) {
      passOver(search, fault, context)
      continue
    }
    try {
      const jpeg = await encode(own, candidate)
      const filepath = filepathOf(image.id, candidate, context.seed)
      await context.storage.put(filepath, jpeg)
      const file = { filepath, bytes: jpeg.length, sha256: sha256(jpeg) }
      end(search, { kept: recordOf(image.id, candidate, file, requests.slice(0, next)) }, context)
    } catch (error) {
      if (context.signal.aborted) throw context.signal.reason
      refused(search, error, context)
    }
  }
}

function passOver(search: Search, reason: string, context: FetchContext): void {
  search.reason ??= reason
  search.next++
  settle(search, context)
}

/** @throws what is no fault of the image or of a service */
function refused(search: Search, error: unknown, context: FetchContext): void {
  // This image can't be had as asked (some old ones lack a band): another may do.
  if (error instanceof ServiceError && error.status === 400) passOver(search, 'image-refused', context)
  else if (error instanceof ServiceError && error.status === 404) passOver(search, 'image-gone', context)
  else if (error instanceof InputError || !(error instanceof SkyscriptError)) throw error
  else end(search, { failed: { id: search.image.id, code: error.code, message: messageOf(error) } }, context)
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

async function fetchPixels({ candidate, grid }: PixelRequest, { ee, signal }: FetchContext): Promise<Buffer> {
  const { source, imageId } = candidate
  for (let attempt = 1; ; attempt++) {
    const body = await ee.pixels(pixelsOf(SOURCES[source], imageId), grid, signal)
    try {
      return parseNpy(body, grid.width, grid.height)
    } catch (error) {
      if (attempt === BODY_ATTEMPTS) throw error
    }
  }
}

/** The JPEG of pixels that were cut out. */
export const encode = (pixels: Buffer, { width, height }: Pick<ImageCandidate, 'width' | 'height'>): Promise<Buffer> =>
  sharp(coloursOf(pixels), { raw: { width, height, channels: 3 } })
    .jpeg(JPEG)
    .toBuffer()

function filepathOf(id: string, { source, time }: ImageCandidate, seed: number): string {
  const partition = PARTITIONS[seededIndex(seed, 'folder', id, PARTITIONS.length)]!
  return `images${partition}/${fileStem(id, source, time)}.jpg`
}
