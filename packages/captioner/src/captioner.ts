import {
  type CaptionRecord,
  DataFault,
  fingerprint,
  geometryMeetsBox,
  type ImageRecord,
  type OsmObject,
  type Tags,
} from '@skyscript/core'
import { createJudge, type Groundability } from './groundability.ts'
import { shareOfBox } from './share-of-box.ts'
import { loadTables } from './tables.ts'
import { createTagFacts, type TagFact } from './tag-facts.ts'
import { byText } from './tag-order.ts'

/** Raise when a rule changes what it writes: captions of older code are then redone. */
const RULES_VERSION = 2

/** The original's opening for every source, aerial too. */
const PREFIX = 'a satellite image of '

/** Why an image gets no caption: its object has no tag that can be seen at its GSD. */
const NOTHING_SEEN = 'no-groundable-tag-at-gsd'

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
  /**
   * Text of a YAML or JSON file that replaces members of the shipped rule tables (`tables/caption-rules.json`), or
   * the order of tags (`tagOrder`, a list of `key=value`).
   */
  readonly rules?: string
}

export interface Captioner {
  /** Of all tables, overrides and the rules' version: what decides groundability and captions. */
  readonly fingerprint: string
  groundability(key: string, value: string): Groundability
  /** Every tag that can be seen at some ground sampling distance: its values by key. */
  readonly visibleTags: ReadonlyMap<string, ReadonlySet<string>>
  /** The tags that can be seen at a ground sampling distance (m/pixel), in caption order. */
  groundableTags(tags: Tags, gsd: number): Tags
  /**
   * The coarsest GSD (m/pixel) of an image that any of the tags describes: 30 where one is of the open-ended 10 m
   * class; null where none ever is seen.
   */
  maxGsd(tags: Tags): number | null
  /**
   * @param surrounding in the order in which they are named
   * @throws DataFault `no-groundable-tag-at-gsd` where no tag of the center remains: a caption is never empty
   */
  caption(center: Tags, surrounding: readonly Tags[], options?: CaptionOptions): Caption
  /**
   * The caption record of an image. Its `surroundingTags` stand in the order of the caption: the largest share of the
   * image first, ties by phrase, then id.
   *
   * @param around other objects that may reach into the image; those that don't are left out by exact geometry
   * @returns the record, or the reason why the image can't have one
   */
  captionImage(
    image: ImageRecord,
    focus: OsmObject,
    around: readonly OsmObject[],
  ): CaptionRecord | { readonly reason: string }
}

/** @throws InputError `bad-tag-table` or `bad-rule-tables` where an override can't be read */
export function createCaptioner(overrides: CaptionerOverrides = {}): Captioner {
  const tables = loadTables(overrides)
  const judge = createJudge(tables.groundable)
  const facts = createTagFacts(tables, judge)

  const chosen = (tags: Tags, { gsd = 0, allTags = false }: CaptionOptions): readonly TagFact[] => {
    if (allTags) return facts.all(tags)
    const groundable = facts.groundable(tags)
    return groundable.every(({ seenTo }) => gsd <= seenTo)
      ? groundable
      : groundable.filter(({ seenTo }) => gsd <= seenTo)
  }

  return {
    fingerprint: fingerprint('captioner', RULES_VERSION, tables),
    groundability: judge.groundability,
    visibleTags: judge.visible,
    groundableTags: (tags, gsd) => tagsOf(chosen(tags, { gsd })),
    maxGsd(tags) {
      let coarsest = 0
      for (const { seenTo } of facts.groundable(tags)) coarsest = Math.max(coarsest, seenTo)
      return coarsest === 0 ? null : coarsest
    },
    caption(center, surrounding, options = {}) {
      const focus = chosen(center, options)
      if (!focus.some(({ phrase }) => phrase !== '')) {
        throw new DataFault(NOTHING_SEEN, 'No tag of the object can be seen in the image, so it has no caption.')
      }
      return captionOf(
        focus,
        surrounding.map((tags) => surroundingPhrase(chosen(tags, options))),
      )
    },
    captionImage(image, focus, around) {
      const options = { gsd: image.gsd }
      const center = chosen(focus.tags, options)
      if (!center.some(({ phrase }) => phrase !== '')) return { reason: NOTHING_SEEN }
      const others: { seen: readonly TagFact[]; share: number; phrase: string; id: string }[] = []
      for (const { id, tags, geometry } of around) {
        if (id === focus.id) continue
        const seen = chosen(tags, options)
        if (seen.length === 0 || !geometryMeetsBox(geometry, image.box)) continue
        others.push({ seen, share: shareOfBox(geometry, tags, image.box), phrase: surroundingPhrase(seen), id })
      }
      others.sort((a, b) => b.share - a.share || byText(a.phrase, b.phrase) || byText(a.id, b.id))
      return {
        id: image.id,
        filepath: image.filepath,
        version: focus.version,
        timestamp: focus.timestamp,
        ...captionOf(
          center,
          others.map(({ phrase }) => phrase),
        ),
        centerTags: tagsOf(center),
        surroundingTags: others.map(({ seen }) => tagsOf(seen)),
      }
    },
  }
}

/** The two captions; identical phrases appear once, and none that says what the focus object's says. */
function captionOf(center: readonly TagFact[], surrounding: readonly string[]): Caption {
  const title = phrasesOf(center)
  const focus = joined(title)
  const others = new Set(surrounding)
  others.delete(focus)
  others.delete('')
  const suffix = others.size === 0 ? '' : `, surrounded by ${[...others].join('; ')}`
  return { title: `${PREFIX}${title.join(', ')}`, titleMultiObjects: `${PREFIX}${focus}${suffix}` }
}

/** An object around the focus: a road is only a road, whatever else is known of it. */
function surroundingPhrase(seen: readonly TagFact[]): string {
  const road = seen.find(({ key }) => key === 'highway')
  return road ? road.phrase : joined(phrasesOf(seen))
}

const phrasesOf = (facts: readonly TagFact[]) => facts.map(({ phrase }) => phrase).filter((phrase) => phrase !== '')

const tagsOf = (facts: readonly TagFact[]): Tags => Object.fromEntries(facts.map(({ key, value }) => [key, value]))

/** One object's phrases: `a with b and c and d`. */
function joined(phrases: readonly string[]): string {
  const [first = '', ...rest] = phrases
  return rest.length === 0 ? first : `${first} with ${rest.join(' and ')}`
}
