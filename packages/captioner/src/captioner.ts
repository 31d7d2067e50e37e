import { type CaptionRecord, fingerprint, geometryMeetsBox, type ImageRecord, type OsmObject, type Tags } from '@skyscript/core'
import { shareOfBox } from './geometry.ts'
import { createGroundability, type Groundability } from './groundability.ts'
import { createPhrases } from './phrases.ts'
import { createTagOrder } from './tag-order.ts'
import { loadTables } from './tables.ts'

/** Raise when a rule changes what it writes: captions of older code are then redone. */
const RULES_VERSION = 1

/** The original's opening for every source, aerial too. */
const PREFIX = 'a satellite image of '

export interface Caption {
  readonly title: string
  readonly titleMultiObjects: string
}

export interface CaptionOptions {
  /** Metres per pixel: only tags that can be seen at it. Unless given, every groundable tag. */
  readonly gsd?: number
  /** Takes every tag, groundable or not. */
  readonly allTags?: boolean
}

export interface CaptionerOverrides {
  /** Text of a CSV file `key,value,max_gsd` whose rows replace or add to the shipped table. */
  readonly tags?: string
  /** Text of a YAML or JSON file that replaces members of the shipped rule tables (`tables/caption-rules.json`). */
  readonly rules?: string
}

export interface Captioner {
  /** Of all tables, overrides and the rules' version: what decides groundability and captions. */
  readonly fingerprint: string
  groundability(key: string, value: string): Groundability
  /** The tags that can be seen at a ground sampling distance (m/pixel), in caption order. */
  groundableTags(tags: Tags, gsd: number): Tags
  /** The coarsest GSD (m/pixel) at which any of the tags is seen; null where none ever is. */
  maxGsd(tags: Tags): number | null
  /** The center must have at least one tag that remains. */
  caption(center: Tags, surrounding: readonly Tags[], options?: CaptionOptions): Caption
  /**
   * The caption record of an image.
   *
   * @param around other objects that may reach into the image; those that don't are left out by exact geometry
   * @returns the record, or a reason where the object has no tag that can be seen in this image
   */
  captionImage(image: ImageRecord, focus: OsmObject, around: readonly OsmObject[]): CaptionRecord | { readonly reason: string }
}

/** @throws InputError `bad-tag-table` or `bad-rule-tables` where an override can't be read */
export function createCaptioner(overrides: CaptionerOverrides = {}): Captioner {
  const tables = loadTables(overrides)
  const { groundability, seenAt } = createGroundability(tables.groundable)
  const inOrder = createTagOrder(tables.frequency)
  const phraseOf = createPhrases(tables.rules)

  /** Tags in caption order, gated as the options say. */
  const chosen = (tags: Tags, { gsd, allTags }: CaptionOptions): [string, string][] =>
    inOrder(Object.entries(tags).filter(([key, value]) => allTags || seenAt(key, value, gsd ?? 0)))

  /** An object around the focus: a road is only a road, whatever else is known of it. */
  const surroundingTags = (tags: Tags, options: CaptionOptions): [string, string][] => {
    const seen = chosen(tags, options)
    const road = seen.find(([key]) => key === 'highway')
    return road ? [road] : seen
  }

  const phrases = (tags: readonly [string, string][]) => tags.map(([key, value]) => phraseOf(key, value)).filter((phrase) => phrase !== '')

  const captionOf = (center: readonly [string, string][], around: readonly (readonly [string, string][])[]): Caption => {
    const focus = phrases(center)
    if (focus.length === 0) throw new TypeError('A caption needs at least one tag of the focus object.')
    const object = joined(focus)
    const others = new Set<string>()
    for (const tags of around) {
      const other = joined(phrases(tags))
      if (other !== '' && other !== object) others.add(other)
    }
    const suffix = others.size === 0 ? '' : `, surrounded by ${[...others].join('; ')}`
    return { title: `${PREFIX}${focus.join(', ')}`, titleMultiObjects: `${PREFIX}${object}${suffix}` }
  }

  return {
    fingerprint: fingerprint('captioner', RULES_VERSION, tables),
    groundability,
    groundableTags: (tags, gsd) => Object.fromEntries(chosen(tags, { gsd })),
    maxGsd(tags) {
      let coarsest = 0
      for (const [key, value] of Object.entries(tags)) coarsest = Math.max(coarsest, groundability(key, value).maxGsd ?? 0)
      return coarsest === 0 ? null : coarsest
    },
    caption: (center, surrounding, options = {}) =>
      captionOf(
        chosen(center, options),
        surrounding.map((tags) => surroundingTags(tags, options)),
      ),
    captionImage(image, focus, around) {
      const options = { gsd: image.gsd }
      const center = chosen(focus.tags, options)
      if (phrases(center).length === 0) return { reason: 'no-groundable-tag-at-gsd' }
      const others: { tags: [string, string][]; share: number; phrase: string; id: string }[] = []
      for (const { id, tags, geometry } of around) {
        if (id === focus.id) continue
        const seen = surroundingTags(tags, options)
        if (seen.length === 0 || !geometryMeetsBox(geometry, image.box)) continue
        others.push({ tags: seen, share: shareOfBox(geometry, tags, image.box), phrase: joined(phrases(seen)), id })
      }
      others.sort((a, b) => b.share - a.share || compare(a.phrase, b.phrase) || compare(a.id, b.id))
      return {
        id: image.id,
        filepath: image.filepath,
        version: focus.version,
        timestamp: focus.timestamp,
        ...captionOf(
          center,
          others.map((other) => other.tags),
        ),
        centerTags: Object.fromEntries(center),
        surroundingTags: others.map((other) => Object.fromEntries(other.tags)),
      }
    },
  }
}

/** One object's phrases: `a with b and c and d`. */
function joined(phrases: readonly string[]): string {
  const [first, ...rest] = phrases
  return rest.length === 0 ? (first ?? '') : `${first} with ${rest.join(' and ')}`
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
