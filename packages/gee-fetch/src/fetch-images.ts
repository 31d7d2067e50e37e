import {
  type Config,
  type Dropped,
  type Failed,
  fileStem,
  fingerprint,
  type ImageCandidate,
  type ImageRecord,
  messageOf,
  type Outcome,
  PARTITIONS,
  type PlannedImage,
  ServiceError,
  type SourceAlias,
  type Storage,
  seededIndex,
  sha256,
} from '@skyscript/core'
import pMap from 'p-map'
import sharp from 'sharp'
import type { PixelGrid } from './client.ts'
import { coloursOf, cutOut } from './cut-out.ts'
import { groupRequests, halvesOf, type PixelRequest } from './grouping.ts'
import type { Imagery } from './imagery.ts'
import { askInPieces } from './pieces.ts'
import { measurePixels, type PixelMeasures, pixelFault } from './pixel-checks.ts'
import { reasonOf, refusalOf } from './refusals.ts'
import { sourceFor } from './sources/coarser.ts'
import { requestSettings, type Source } from './sources/source.ts'

/** Raise when the same request gives a different JPEG, or different measurements. */
const ENCODING_VERSION = 2
/**
 * About 16 KB for an image of 300 pixels a side, the original's mean. With the standard's Huffman tables: optimised tables
 * would save 7 % of the bytes and take a third more time.
 */
const JPEG = { quality: 82, chromaSubsampling: '4:2:0', mozjpeg: false, optimiseCoding: false } as const
/** Concurrent requests of one call; the client's limiter decides how many are really sent. */
const IN_FLIGHT = 48

/** Results of an earlier run, to resume from. */
export interface EarlierImages {
  /** By object id: the file is kept if its sha256 still matches and it is of the first candidate that passes. */
  readonly records: ReadonlyMap<string, ImageRecord>
  /** By request fingerprint. */
  readonly findings: ReadonlyMap<string, ImageFinding>
}

export const NO_EARLIER_IMAGES: EarlierImages = { records: new Map(), findings: new Map() }

/** The result of requesting a candidate. */
export interface ImageFinding {
  /** Fingerprint of the request. */
  readonly request: string
  readonly source: SourceAlias
  /** Measurements of its pixels, or why there are none: `image-refused`, `image-gone`, `image-damaged`. */
  readonly found: PixelMeasures | string
  /** Why it failed the checks; null for the one that passed. */
  readonly fault: string | null
}

export interface FetchOutcome extends Outcome<ImageRecord> {
  /** Every candidate examined, by object in the order given, best candidate first. */
  readonly findings: readonly ImageFinding[]
}

export interface FetchContext {
  readonly imagery: Imagery
  /** Every source that a candidate may name. */
  readonly sources: readonly Source[]
  readonly checks: Config['imagery']['checks']
  readonly storage: Storage
  readonly seed: number
  readonly earlier: EarlierImages
  /** The map tile of the objects, on whose lattices the boxes are. */
  readonly tile: string
  /** Whether images close together share requests. */
  readonly grouping: boolean
  readonly signal: AbortSignal
  /** Called before anything is requested, with the earlier images of objects that may get another. */
  readonly onReplace?: (images: readonly ImageRecord[]) => Promise<void>
}

/** A fingerprint of everything that decides an image's bytes: source image, origin of its pixels, grid, encoding. */
export function requestFingerprint(candidate: ImageCandidate, source: Source): string {
  const { imageId, origin, box, width, height } = candidate
  return fingerprint(ENCODING_VERSION, JPEG, source.alias, imageId, origin, box, width, height, requestSettings(source))
}

/** The candidate to request first, given earlier findings; null if the image exists, or no candidate is left. */
export function candidateToAsk(
  image: PlannedImage,
  { sources, earlier, checks }: Pick<FetchContext, 'sources' | 'earlier' | 'checks'>,
): ImageCandidate | null {
  const sourceOf = (of: ImageCandidate) => sourceFor(of, sources)
  const record = earlier.records.get(image.id)
  const recorded = record && sourceOf(record)
  const found = new Map<number, ImageFinding['found']>()
  for (const [i, candidate] of image.candidates.entries()) {
    if (isNeedless(image.candidates, i, found, checks)) continue
    const request = requestFingerprint(candidate, sourceOf(candidate)!)
    const known = earlier.findings.get(request)
    if (known === undefined) return candidate
    found.set(i, known.found)
    if (judge(known.found, checks) !== null) continue
    return recorded && requestFingerprint(record, recorded) === request ? null : candidate
  }
  return null
}

/**
 * Fetches one JPEG (3-channel RGB) per planned image: the first candidate that passes the pixel checks. An object
 * whose candidates all fail is dropped with the reason of the first; one whose requests fail is `failed`.
 *
 * Works in rounds: each round groups its images into as few requests as pay off; images whose candidate failed are
 * requested again with their next candidate in the next round.
 */
export async function fetchImages(planned: readonly PlannedImage[], context: FetchContext): Promise<FetchOutcome> {
  const inFlight = <T, R>(items: readonly T[], task: (item: T) => Promise<R>) => {
    const own = async (item: T) => {
      context.signal.throwIfAborted()
      return task(item)
    }
    return pMap(items, own, { concurrency: IN_FLIGHT })
  }
  const searches = await inFlight(planned, (image) => startSearch(image, context))
  await context.onReplace?.(searches.flatMap(({ before, result }) => (result === null && before ? [before] : [])))
  for (;;) {
    const asking = searches.filter((search) => search.result === null)
    if (asking.length === 0) break
    const requests = groupRequests(
      asking.map((search) => search.image.candidates[search.next]!),
      context.tile,
      context.sources,
      context.grouping,
    )
    await inFlight(requests, (request) => serve(request, asking, context))
  }
  const results = searches.map((search) => search.result!)
  return {
    kept: results.flatMap((result) => ('kept' in result ? [result.kept] : [])),
    dropped: results.flatMap((result) => ('dropped' in result ? [result.dropped] : [])),
    failed: results.flatMap((result) => ('failed' in result ? [result.failed] : [])),
    findings: searches.flatMap((search) => search.findings),
  }
}

/** One object whose image is being fetched. */
interface Search {
  readonly image: PlannedImage
  /** Source and fingerprint of each candidate's request. */
  readonly requests: readonly { readonly source: Source; readonly name: string }[]
  /** The record of an earlier run whose file is unchanged, and its candidate; -1: none of these. */
  readonly before: ImageRecord | null
  readonly ready: number
  readonly findings: ImageFinding[]
  /** What was found, by candidate. */
  readonly found: Map<number, ImageFinding['found']>
  /** The candidate to request next. */
  next: number
  result: { kept: ImageRecord } | { dropped: Dropped } | { failed: Failed } | null
}

async function startSearch(image: PlannedImage, context: FetchContext): Promise<Search> {
  const { sources } = context
  const requests = image.candidates.map((candidate) => {
    const source = sourceFor(candidate, sources)
    if (!source)
      throw new TypeError(`${image.id} is planned with ${candidate.source}, which is not a source of this run.`)
    return { source, name: requestFingerprint(candidate, source) }
  })
  const before = await intact(image.id, context)
  // Kept even if an older version wrote it: the request's fingerprint names its bytes.
  const recorded = before && sourceFor(before, sources)
  const own = recorded ? requestFingerprint(before!, recorded) : null
  const ready = own === null ? -1 : requests.findIndex(({ name }) => name === own)
  const search: Search = { image, requests, before, ready, findings: [], found: new Map(), next: 0, result: null }
  settle(search, context)
  return search
}

/**
 * Skips candidates that failed in an earlier run; ends the search if the image exists or no candidate is left.
 */
function settle(search: Search, context: FetchContext): void {
  const { image, requests, before, ready } = search
  for (; search.next < image.candidates.length; search.next++) {
    if (isNeedless(image.candidates, search.next, search.found, context.checks)) continue
    const known = context.earlier.findings.get(requests[search.next]!.name)
    if (known === undefined) return
    const fault = judge(known.found, context.checks)
    if (fault === null) {
      const candidate = image.candidates[search.next]!
      if (search.next !== ready || filepathOf(image.id, candidate, context.seed) !== before!.filepath) return
      note(search, known.found, null)
      search.result = { kept: recordOf(image.id, candidate, before!) }
      return
    }
    note(search, known.found, fault)
  }
  search.result = { dropped: { id: image.id, reason: search.findings[0]?.fault ?? 'no-image-here' } }
}

const judge = (found: ImageFinding['found'], checks: FetchContext['checks']): string | null =>
  typeof found === 'string' ? found : pixelFault(found, checks)

/**
 * Whether a candidate shows a picture with coarser pixels that are not needed: one before it has finer ones which are not
 * enlarged, or are enlarged by more.
 */
function isNeedless(
  candidates: readonly ImageCandidate[],
  at: number,
  found: ReadonlyMap<number, ImageFinding['found']>,
  checks: FetchContext['checks'],
): boolean {
  const { source, imageId, gsd } = candidates[at]!
  for (let i = at - 1; i >= 0; i--) {
    const finer = candidates[i]!
    if (finer.source !== source || finer.imageId !== imageId || finer.gsd >= gsd) continue
    const measures = found.get(i)
    if (measures === undefined) continue
    if (typeof measures === 'string' || pixelFault(measures, checks) !== 'image-enlarged') return true
    // GSDs are rounded.
    return gsd < 0.99 * finer.gsd * measures.enlarged!
  }
  return false
}

function note(search: Search, found: ImageFinding['found'], fault: string | null): void {
  const { source, name } = search.requests[search.next]!
  search.findings.push({ request: name, source: source.alias, found, fault })
  search.found.set(search.next, found)
}

function passOver(search: Search, found: ImageFinding['found'], fault: string, context: FetchContext): void {
  note(search, found, fault)
  search.next++
  settle(search, context)
}

/**
 * Sends one request and cuts each image out of the response; images that fail move on to their next candidate. A
 * request that is too large is halved, down to parts of one image.
 */
async function serve(request: PixelRequest, asking: readonly Search[], context: FetchContext): Promise<void> {
  const { candidate: first, grid, parts } = request
  const { imagery, signal } = context
  const { requests, next } = asking[parts[0]!.index]!
  const { source } = requests[next]!
  const ask = (piece: PixelGrid) => imagery.pixels(source, first.imageId, piece, signal)
  const wanted = parts.map(({ index }) => asking[index]!.image.candidates[asking[index]!.next]!)
  let pixels: Buffer
  try {
    const read = () => (parts.length > 1 ? ask(grid) : askInPieces(grid, ask, signal))
    pixels = await read()
    if (!(await areAsPlanned(source, wanted, imagery, false))) {
      for (const { imageId, box } of wanted) await imagery.forget(source, imageId, box)
      pixels = await read()
      if (!(await areAsPlanned(source, wanted, imagery, true))) throw replaced(first.imageId)
    }
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (parts.length > 1 && refusalOf(error) === 'too-much') {
      const halves = halvesOf(
        request,
        (index) => asking[index]!.image.candidates[asking[index]!.next]!,
        context.tile,
        context.sources,
      )
      await Promise.all(halves.map((half) => serve(half, asking, context)))
      return
    }
    const why = await unlessReplaced(error, source, wanted, imagery)
    for (const { index } of parts) refused(asking[index]!, why, context)
    return
  }
  for (const part of parts) {
    const search = asking[part.index]!
    const { image, requests, next } = search
    const candidate = image.candidates[next]!
    const own = cutOut(pixels, grid.width, part, candidate)
    const measures = measurePixels(own, candidate.width, requests[next]!.source)
    const fault = judge(measures, context.checks)
    if (fault !== null) {
      passOver(search, measures, fault, context)
      continue
    }
    try {
      const jpeg = await encode(own, candidate)
      const filepath = filepathOf(image.id, candidate, context.seed)
      await context.storage.put(filepath, jpeg)
      note(search, measures, null)
      search.result = { kept: recordOf(image.id, candidate, { filepath, bytes: jpeg.length, sha256: sha256(jpeg) }) }
    } catch (error) {
      if (context.signal.aborted) throw context.signal.reason
      refused(search, error, context)
    }
  }
}

async function areAsPlanned(
  source: Source,
  wanted: readonly ImageCandidate[],
  imagery: Imagery,
  isLast: boolean,
): Promise<boolean> {
  for (const { imageId, box, origin } of wanted)
    if (!(await imagery.isOf(source, imageId, box, origin, isLast))) return false
  return true
}

/** A seemingly final error may come from a file that was replaced since planning; no other image may be taken for that. */
async function unlessReplaced(
  error: unknown,
  source: Source,
  wanted: readonly ImageCandidate[],
  imagery: Imagery,
): Promise<unknown> {
  if (refusalOf(error) !== 'image') return error
  try {
    for (const { imageId, box, origin } of wanted)
      if (await imagery.isReplaced(source, imageId, box, origin)) return replaced(imageId)
    return error
  } catch (unknown) {
    return unknown
  }
}

const replaced = (imageId: string): ServiceError =>
  new ServiceError(
    'image-replaced',
    `The file of ${imageId} is another than when the build was planned; run the build again.`,
    { retry: true },
  )

/**
 * Only an image that can never be fetched gives way to the next candidate: a temporary refusal must not decide which
 * image an object gets.
 *
 * @throws errors that end the build, and faults in our code
 */
function refused(search: Search, error: unknown, context: FetchContext): void {
  const refusal = refusalOf(error)
  if (refusal === null || refusal === 'build') throw error
  const service = error as ServiceError
  if (refusal === 'image') passOver(search, reasonOf(service), reasonOf(service), context)
  else search.result = { failed: { id: search.image.id, code: service.code, message: messageOf(service) } }
}

/** The record of an earlier run, if its file is unchanged. */
async function intact(id: string, { earlier, storage }: FetchContext): Promise<ImageRecord | null> {
  const record = earlier.records.get(id)
  if (!record) return null
  const bytes = await storage.get(record.filepath)
  return bytes !== null && sha256(bytes) === record.sha256 ? record : null
}

/** The same record whether the file was fetched now or in an earlier run. */
function recordOf(
  id: string,
  candidate: ImageCandidate,
  { filepath, bytes, sha256 }: Pick<ImageRecord, 'filepath' | 'bytes' | 'sha256'>,
): ImageRecord {
  return { id, ...candidate, filepath, bytes, sha256 }
}

/** Encodes cut-out pixels as JPEG. */
export const encode = (pixels: Buffer, { width, height }: Pick<ImageCandidate, 'width' | 'height'>): Promise<Buffer> =>
  sharp(coloursOf(pixels), { raw: { width, height, channels: 3 } })
    .jpeg(JPEG)
    .toBuffer()

function filepathOf(id: string, { source, time }: ImageCandidate, seed: number): string {
  const partition = PARTITIONS[seededIndex(seed, 'folder', id, PARTITIONS.length)]!
  return `images${partition}/${fileStem(id, source, time)}.jpg`
}
