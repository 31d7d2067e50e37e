import type { FaultOptions } from './faults.ts'
import type { Limits } from './limits.ts'

/** How a server is started. */
export interface LocalEarthEngineOptions {
  /** Files of GeoJSON features, one a line, as `toFeatureLine` of core writes them. None: bare ground everywhere. */
  readonly features: readonly string[]
  /** 0, the default, takes a free one. */
  readonly port?: number
  /** Default 127.0.0.1. */
  readonly host?: string
  readonly limits?: Partial<Limits>
  /** Shares of `value:compute` and `image:computePixels` requests to spoil, or their text (`429:0.1,hang:0.01`). */
  readonly faults?: FaultOptions | string
  /** Mean milliseconds before each answer, and by which share of it that varies, 0 to 1. */
  readonly latency?: { readonly ms: number; readonly jitter: number }
  /** Answer 401 to requests without this bearer token. */
  readonly requireToken?: string | null
  /** Answer 403 to requests of other projects; null lets in all. */
  readonly projects?: readonly string[] | null
  /** Ids of assets that are not shared with the account. */
  readonly denied?: readonly string[]
  /** The catalogue ends here, ISO 8601: it has no image that was taken then or later. Default: it has all. */
  readonly until?: string
  /** What the Brandenburg asset is; the catalogue and its own examples disagree. Default `image`. */
  readonly brandenburg?: 'image' | 'collection'
  /** The first answers of this many bytes are kept, to be given again to the same requests. Default: none. */
  readonly cacheBytes?: number
  /** Threads that draw. Default: as many as the machine has cores, at most 8. */
  readonly threads?: number
}

/** What a server did so far. */
export interface Stats {
  /** Requests that came, also those refused or spoiled. */
  readonly requests: Readonly<Record<'algorithms' | 'compute' | 'pixels' | 'assets' | 'other', number>>
  /** Answers by HTTP status. */
  readonly byStatus: Readonly<Record<string, number>>
  /** Injected faults by kind. */
  readonly faults: Readonly<Record<string, number>>
  /** Pixels drawn, without those of kept answers, and bytes of bodies sent. */
  readonly pixels: number
  readonly bytes: number
  /** Requests in progress now, and at most so far; refused ones don't count. */
  readonly concurrent: number
  readonly peakConcurrent: number
}
