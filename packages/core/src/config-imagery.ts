/** The settings of `imagery`: see config-schema.ts. */
import { z } from 'zod'
import { SHIPPED_ALIASES, sourcesSetting } from './config-sources.ts'
import { SOURCE_ALIASES } from './records.ts'
import { REFRESH } from './refresh.ts'

/** Whether an address has no part in which secrets are put: login, query or fragment. */
export function isBareUrl(text: string): boolean {
  const url = URL.parse(text)
  return url === null || (url.username === '' && url.password === '' && !/[?#]/.test(url.href))
}

const endpoint = z
  .union([z.literal('local'), z.url({ protocol: /^https?$/ })], 'must be "local" or an http(s) URL')
  .refine(isBareUrl, 'must hold no login, query or fragment, since settings are stored with the dataset')

const share = (value: number) => z.number().min(0).max(1).default(value)

const checks = z.strictObject({
  minValid: share(0.98).describe('Smallest share of pixels that hold data'),
  maxCloud: share(0.35).describe('Largest share of pixels under cloud or haze'),
  maxSeam: share(0.002).describe('Largest share of pixels in black seams'),
  minDeviation: z
    .number()
    .min(0)
    .max(128)
    .default(1.5)
    .describe('Smallest standard deviation of brightness, of 255; below it an image counts as blank'),
  // Without a default, so that builds without it keep their results.
  maxEnlarged: z
    .number()
    .min(1)
    .max(8)
    .optional()
    .describe(
      'Largest factor by which a service of tiles or maps may have enlarged an image, a side: 1, 2, 4 or 8; default: 1, none',
    ),
})

const earthEngine = z.strictObject({
  endpoint: endpoint
    .default('https://earthengine-highvolume.googleapis.com')
    .describe('Earth Engine API; `local` draws images from the extract, without an account'),
  mirrorOf: z
    .string()
    .regex(/^[a-z0-9.-]+(:\d{1,5})?$/i, 'must be a host, such as earthengine.googleapis.com or 10.0.0.5:8080')
    .transform((host) => host.toLowerCase())
    .nullable()
    .default(null)
    .describe(
      "Host (`name` or `name:port`) whose pixels the endpoint mirrors; images are kept when only the mirror's address changes. null: the endpoint's own host",
    ),
  project: z
    .string()
    .regex(/^[a-z0-9:.-]{1,64}$/, 'must be a Google Cloud project id')
    .nullable()
    .default(null)
    .describe('Google Cloud project id'),
  credentials: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'File of Google credentials: a JSON key of a service account, a workload identity configuration or a login of `gcloud`; null, for endpoints of googleapis.com: the file in `GOOGLE_APPLICATION_CREDENTIALS`, else the login of `gcloud auth application-default login`, else the account of the machine in Google Cloud',
    ),
  maxConcurrent: z
    .int()
    .min(1)
    .max(1000)
    .default(40)
    .describe("Concurrent requests, over all workers of a queue or all of a user's builds on one machine"),
  maxEecuHours: z
    .number()
    .positive()
    .nullable()
    .default(null)
    .describe(
      'Monthly budget of EECU-hours for the project (UTC month); the run stops when it is used up, run it again to resume',
    ),
  grouping: z
    .boolean()
    .default(true)
    .describe('Fetch neighbouring images in one request; changes no byte of any image'),
})

/** What may stand in a header that every service reads. */
const contact = z
  .string()
  .max(200)
  .regex(
    /^(?:[^\s@()<>,;:"\\]+@[\w.-]+\.\w+|https?:\/\/[\x21-\x27\x2a-\x7e]+)$/,
    'must be an e-mail address or an http(s) URL',
  )

const cache = z.strictObject({
  folder: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('Folder that builds and workers of this machine share; null: `tiles` in `SKYSCRIPT_CACHE`'),
  megabytes: z
    .int()
    .min(0)
    .max(1_000_000)
    .default(1000)
    .describe('Largest size; the tiles used last stay. 0: none are kept'),
})

export const imagery = z.strictObject({
  sources: sourcesSetting
    .default([...SOURCE_ALIASES])
    .describe(
      "Imagery sources: aliases of [shipped ones](sources.md), descriptions of [your own](../how-to/own-imagery.md), layers of `catalogue`, or `auto` for all shipped ones that cover the region and may be used without more than `licences` allows. Default: the paper's ten",
    ),
  without: z
    .array(z.string().refine((alias) => SHIPPED_ALIASES.includes(alias), 'must be the alias of a shipped source'))
    .default([])
    .describe('Shipped sources that `auto` does not take'),
  catalogue: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe(
      "File or URL of a [catalogue of layers](../how-to/own-imagery.md#layers-of-a-catalogue), in the form of OSM's editor layer index or of JOSM's; `sources` names them by `{ index: id, licence: ... }`",
    ),
  prefer: z
    .enum(['finest', 'listed'])
    .default('finest')
    .describe('Which suitable source is tried first: the one with the finest resolution, or the first in the list'),
  year: z
    .enum(['latest', 'closest', 'all'])
    .default('latest')
    .describe(
      "Among equally clear images: the `latest`, the one `closest` in time to the object's last edit, or one of a random year (`all`)",
    ),
  refresh: z
    .string()
    .regex(REFRESH, 'must be never, newer, or an age such as 36h, 90d or 12w')
    .default('never')
    .describe(
      'When sources are asked again for [newer images](../explanation/imagery.md#newer-images) of ground that is planned already: `never`, by every build (`newer`), or by a build after an age in hours, days or weeks (`90d`). Pairs change only where there are newer images',
    ),
  maxCloud: z
    .number()
    .min(0)
    .max(100)
    .default(20)
    .describe('Largest percentage of cloud in the metadata of an image, where it has one'),
  checks: checks.prefault({}),
  patience: z
    .number()
    .min(0)
    .max(7 * 24 * 60)
    .default(10)
    .describe(
      'Minutes to wait for an imagery service that is down before the build ends with exit code 2; run it again to resume',
    ),
  contact: contact
    .nullable()
    .default(null)
    .describe('E-mail address or URL that web services are told, beside the name of this tool, as some ask for'),
  cache: cache
    .prefault({})
    .describe('Tiles of web services on disk. Each is still asked for, by its ETag, so they decide no image'),
  licences: z
    .array(z.string().min(1))
    .min(1)
    .nullable()
    .default(null)
    .describe(
      'Use only sources whose licence starts with one of these texts, such as `[public domain, CC BY 4.0]`; case, dashes and the like do not count, and names and SPDX ids of a licence are the same. `CC BY` allows all its versions, but not CC BY-NC. null: all that are named, and of `auto` [the open ones](sources.md#licences)',
    ),
  earthEngine: earthEngine.prefault({}),
})
