import {
  type CaptionRecord,
  DataFault,
  fingerprint,
  geometryMeetsBox,
  type ImageRecord,
  type Labels,
  type OsmObject,
  type Tags,
} from '@skyscript/core'
import { createJudge, type Groundability, type Judge, type TagVerdicts } from './groundability.ts'
import { type SeveralCaptions, severalCaptions } from './several-captions.ts'
import { shareOfBox } from './share-of-box.ts'
import { type Style, shippedStyle } from './styles/style.ts'
import { type Caption, type CaptionParts, createWriter, type Writer } from './styles/writer.ts'
import { ARRANGING, applyRules, NAMING, NAMING_WITH_DIRECTIONS, SAYING } from './surroundings/index.ts'
import type { Scene, Surrounding } from './surroundings/surrounding.ts'
import { loadTables } from './tables.ts'
import { createTagFacts, type Seen } from './tag-facts.ts'
import type { TagRow } from './tag-table.ts'
import { type TokenLimit, withinTokens } from './token-limit.ts'

/** Raise when a rule changes what it writes: captions of older code are then redone. */
const RULES_VERSION = 4

/** Why an image gets no caption: its object has no tag that can be seen at its GSD. */
const NOTHING_SEEN = 'no-groundable-tag-at-gsd'

export interface CaptionOptions {
  /** Metres per pixel: only tags that can be seen at it. Unless given, every groundable tag. */
  readonly gsd?: number
  /** Takes every tag, groundable or not. */
  readonly allTags?: boolean
}

export interface CaptionerOptions {
  /** Text of a CSV file `key,value,max_gsd` whose rows decide before every shipped table. */
  readonly tags?: string
  /**
   * Text of a YAML or JSON file that replaces members of the shipped rule tables (`tables/caption-rules.json`), or
   * the order of tags (`tagOrder`, a list of `key=value`).
   */
  readonly rules?: string
  /** Which tags captions name: what can be seen (the default), or also what the original's classifiers let through. */
  readonly labels?: Labels
  /** What a classifier said of tags that no table knows, and a fingerprint of what decides what it says. */
  readonly learned?: { readonly rows: readonly TagRow[]; readonly classifier: string } | null
  /** The first writes the captions, all of them the further ones. By default the original's. */
  readonly styles?: readonly Style[]
  /** Says how many there are of like objects around, instead of naming them once. */
  readonly counts?: boolean
  /** Says on which side of the focus object the others lie. */
  readonly directions?: boolean
  readonly tokens?: TokenLimit | null
  readonly more?: SeveralCaptions | null
}

export interface Captioner {
  readonly labels: Labels
  /** Of all that decides which tags can be seen. */
  readonly tagsFingerprint: string
  /** Of that and all that decides captions. */
  readonly fingerprint: string
  groundability(key: string, value: string): Groundability
  /** Why an object can't be seen from above whatever its other tags are, such as `hidden:covered`; null: no rule hides it. */
  hidden(tags: Tags): string | null
  /** The decisions on all tags as data, for readers of OSM files. */
  verdicts(): TagVerdicts
  /** Whether only a classifier could tell: no table knows the tag, and key and value are words of OSM's vocabulary. */
  isUndecided(key: string, value: string): boolean
  /** The undecided tags as data. */
  undecided(): TagVerdicts
  /** The tags that can be seen at a ground sampling distance (m/pixel), in caption order. */
  groundableTags(tags: Tags, gsd: number): Tags
  /**
   * The coarsest GSD (m/pixel) of an image that any of the tags describes: 30 where one is of the open-ended 10 m
   * class; null where none ever is seen.
   */
  maxGsd(tags: Tags): number | null
  /** The coarsest GSD (m/pixel) of an image whose caption names any of the tags: at a coarser one it is not described; 0: never. */
  namedTo(tags: Tags): number
  /** Whether any of the tags can be seen, as against named all the same by `labels: skyscript-2023`. */
  isVisible(tags: Tags): boolean
  /**
   * @param surrounding in the order in which they are named
   * @throws DataFault `no-groundable-tag-at-gsd` where no tag of the center remains: a caption is never empty
   */
  caption(center: Tags, surrounding: readonly Tags[], options?: CaptionOptions): Caption
  /**
   * The caption record of an image. Its `surroundingTags` stand in the order of the caption: the largest share of the
   * image first, ties by phrase, then id.
   *
   * @param around other objects that may reach into the image, each once and in any order; those that don't are left out by exact geometry
   * @returns the record, or the reason why the image can't have one
   */
  captionImage(
    image: ImageRecord,
    focus: OsmObject,
    around: readonly OsmObject[],
  ): CaptionRecord | { readonly reason: string }
}

/** @throws InputError `bad-tag-table` or `bad-rule-tables` where a table of the user can't be read */
export function createCaptioner(options: CaptionerOptions = {}): Captioner {
  const {
    labels = 'visible',
    learned = null,
    styles = [shippedStyle('skyscript')],
    tokens = null,
    more = null,
  } = options
  const { tags: tagTables, ...captionTables } = loadTables({ ...options, learned: learned?.rows ?? [] })
  const { learned: _rows, ...decisive } = tagTables
  const judge: Judge = createJudge(tagTables)
  const facts = createTagFacts(captionTables, judge)
  const writers = styles.map((style): Writer => {
    const writer = createWriter(style, options.counts === true)
    return tokens === null ? writer : withinTokens(writer, tokens)
  })
  const naming = options.directions ? NAMING_WITH_DIRECTIONS : NAMING

  const seenOf = (tags: Tags, { gsd = 0, allTags = false }: CaptionOptions): Seen =>
    allTags ? facts.all(tags) : facts.at(tags, gsd)
  const partsOf = (
    center: Seen,
    around: readonly Surrounding[],
    scene: Scene,
    source: CaptionParts['source'],
  ): CaptionParts => ({ facts: center.named, others: applyRules(naming, around, scene), source })

  const tagsFingerprint = fingerprint('tags', decisive, learned?.classifier ?? null)
  const extras = {
    styles,
    counts: options.counts === true,
    directions: options.directions === true,
    tokens: tokens && { limit: tokens.limit, tokenizer: tokens.tokenizer },
    more,
  }
  return {
    labels,
    tagsFingerprint,
    fingerprint: fingerprint('captioner', RULES_VERSION, tagsFingerprint, captionTables, extras),
    groundability: judge.groundability,
    hidden: judge.hidden,
    verdicts: judge.verdicts,
    isUndecided: judge.isUndecided,
    undecided: judge.undecided,
    groundableTags: (tags, gsd) => facts.at(tags, gsd).tags,
    maxGsd: (tags) => facts.seenTo(tags) || null,
    namedTo: facts.namedTo,
    isVisible: facts.isVisible,
    caption(center, surrounding, how = {}) {
      const seen = seenOf(center, how)
      if (seen.phrase === '') {
        throw new DataFault(NOTHING_SEEN, 'No tag of the object can be seen in the image, so it has no caption.')
      }
      const scene: Scene = { focus: { phrase: seen.phrase, geometry: null }, box: null }
      const objects = surrounding.map((tags, i) => surroundingOf(String(i), seenOf(tags, how), null, 0))
      return writers[0]!.write(partsOf(seen, applyRules(SAYING, objects, scene), scene, null))
    },
    captionImage(image, focus, around) {
      const { gsd, box } = image
      const center = facts.at(focus.tags, gsd)
      if (center.phrase === '') return { reason: NOTHING_SEEN }
      const objects: Surrounding[] = []
      for (const { id, tags, geometry } of around) {
        if (id === focus.id) continue
        const seen = facts.at(tags, gsd)
        if (seen.facts.length === 0 || !geometryMeetsBox(geometry, box)) continue
        objects.push(surroundingOf(id, seen, geometry, shareOfBox(geometry, tags, box)))
      }
      const scene: Scene = { focus: { phrase: center.phrase, geometry: focus.geometry }, box }
      const arranged = applyRules(ARRANGING, objects, scene)
      const parts = partsOf(center, arranged, scene, image.source)
      const caption = writers[0]!.write(parts)
      return {
        id: image.id,
        filepath: image.filepath,
        ...caption,
        ...(more && { more: severalCaptions(image.id, parts, caption, writers, more) }),
        geometry: fingerprint(focus.geometry).slice(0, 16),
        centerTags: center.tags,
        surroundingTags: arranged.map(({ seen }) => seen.tags),
      }
    },
  }
}

const surroundingOf = (id: string, seen: Seen, geometry: Surrounding['geometry'], share: number): Surrounding => ({
  id,
  geometry,
  seen,
  facts: seen.named,
  phrase: seen.phrase,
  // Less than a pixel: shares that differ only by rounding are equal.
  share: Math.round(share * 1e6) / 1e6,
  count: 1,
  direction: null,
})
