import { type CatalogueOptions, createCatalogue } from '../catalogue/catalogue.ts'
import type { Features } from '../draw/feature-store.ts'
import { createPainter } from '../draw/scene-painter.ts'
import { describe } from './algorithm.ts'
import { ApiError, badRequest } from './api-error.ts'
import { describeAsset, listAssets } from './assets.ts'
import { encodeValue } from './encode-value.ts'
import { ALGORITHMS } from './functions/index.ts'
import { evaluateGraph } from './graph.ts'
import type { Limits } from './limits.ts'
import { computePixels } from './pixels.ts'

/** What decides answers besides the features. */
export interface ApiOptions {
  readonly brandenburg: CatalogueOptions['brandenburg']
  readonly limits: Limits
  readonly denied?: readonly string[]
  readonly until?: CatalogueOptions['until']
}

/** A request as it came. */
export interface ApiCall {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly payload: string
}

/** A good answer. */
export interface Answer {
  readonly contentType: string
  readonly body: Buffer
  /** Drawn for it. */
  readonly pixels: number
}

/** Answers calls of the REST API, one at a time; an answer depends only on the request. */
export interface Api {
  /** @throws ApiError where Earth Engine would refuse */
  answer(call: ApiCall): Answer
}

/** The API over some features. */
export function createApi({ brandenburg, limits, denied = [], until }: ApiOptions, features: Features): Api {
  const context = {
    catalogue: createCatalogue({ brandenburg, denied, ...(until && { until }) }),
    painter: createPainter(features),
  }
  return {
    answer({ method, url, payload }) {
      const { pathname, searchParams } = new URL(url, 'http://localhost')
      const path = decoded(pathname)
      const match =
        /^\/v1\w*\/(projects\/[^/]+)\/(algorithms|value:compute|image:computePixels|assets\/(.+?)(:listAssets)?)$/.exec(
          path,
        )
      if (!match) throw new ApiError(404, `Method not found: ${method} ${path}.`)
      const [, project, what, asset, list] = match
      if (what === 'algorithms') return json({ algorithms: [...ALGORITHMS.values()].map(describe) })
      if (asset !== undefined) {
        const name = `${project}/assets/${asset}`
        return json(list ? listAssets(context.catalogue, name, searchParams) : describeAsset(context.catalogue, name))
      }
      if (method !== 'POST') throw new ApiError(404, `Method not found: ${method} ${path}.`)
      const request = parsed(payload)
      const value = evaluateGraph(request.expression, ALGORITHMS, context)
      if (what === 'value:compute') return json({ result: encodeValue(value) })
      const { contentType, body, width, height } = computePixels(value, request, limits)
      return { contentType, body, pixels: width * height }
    },
  }
}

const json = (value: unknown): Answer => ({
  contentType: 'application/json; charset=UTF-8',
  body: Buffer.from(JSON.stringify(value)),
  pixels: 0,
})

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw badRequest('Invalid path.')
  }
}

function parsed(payload: string): Record<string, unknown> {
  try {
    const body: unknown = JSON.parse(payload)
    if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  } catch {}
  throw badRequest('Invalid JSON payload received.')
}
