import { count, formatCounted, seededFraction } from '@skyscript/core'
import { FEWEST_CLASSES } from '../class-list.ts'
import { type Candidate, hashesOf, type Looks } from './candidates.ts'
import { type ClassTable, createLabeller, groupsOf } from './class-table.ts'
import type { BenchmarkSettings, SetDefinition } from './definitions.ts'

/** What a set shows, or why there is none. */
export interface ChosenSet {
  readonly images: readonly ChosenImage[]
  readonly labels: readonly LabelColumn[]
  /** Candidates that are not in the set, by reason. */
  readonly excluded: ReadonlyMap<string, number>
  /** Why the set can't be made; null if it can. */
  readonly refusal: string | null
}

export interface ChosenImage {
  readonly candidate: Candidate
  /** By column of labels. */
  readonly labels: readonly string[]
}

export interface LabelColumn {
  readonly column: string
  readonly classes: readonly string[]
}

interface Choosing {
  readonly settings: BenchmarkSettings
  readonly looks: Looks
  readonly seed: number
}

/**
 * The same number of images for every class, drawn at random: never an object that fits two classes, an image that looks like one
 * of training or of another class, or two that look alike. Classes with fewer images are left out.
 */
export function chooseClasses(
  { name }: SetDefinition,
  table: ClassTable,
  candidates: readonly Candidate[],
  { settings, looks, seed }: Choosing,
): ChosenSet {
  const excluded = new Map<string, number>()
  const labelOf = createLabeller(table)
  const labelled: { readonly candidate: Candidate; readonly label: number }[] = []
  for (const candidate of candidates) {
    const label = labelOf(candidate.tags)
    if (label === 'none') count(excluded, 'no-class')
    else if (label === 'several') count(excluded, 'several-classes')
    else if (candidate.unfit !== null) count(excluded, candidate.unfit)
    else labelled.push({ candidate, label })
  }
  const drawn = inDrawnOrder(labelled, ({ candidate }) => candidate.id, name, seed)
  const firstOf = looks.firstOf(
    hashesOf(
      drawn.map(({ candidate }) => candidate),
      looks,
    ),
  )
  const mixed = new Set(firstOf.filter((first, i) => drawn[first]!.label !== drawn[i]!.label))
  const byClass = table.map((): Candidate[] => [])
  for (const [i, { candidate, label }] of drawn.entries()) {
    if (mixed.has(firstOf[i]!)) count(excluded, 'looks-like-another-class')
    else if (firstOf[i] !== i) count(excluded, 'looks-like-another-image')
    else byClass[label]!.push(candidate)
  }
  const { perClass, allClasses } = settings
  const isKept = byClass.map((images) => images.length >= perClass)
  for (const [i, images] of byClass.entries()) {
    const rest = isKept[i] ? images.length - perClass : images.length
    if (rest > 0) count(excluded, isKept[i] ? 'beyond-per-class' : 'class-too-small', rest)
  }
  const images = table.flatMap(({ name: className, group }, i) =>
    isKept[i]
      ? byClass[i]!.slice(0, perClass)
          .sort((a, b) => a.row - b.row)
          .map((candidate) => ({ candidate, labels: group === null ? [className] : [className, group] }))
      : [],
  )
  return {
    images,
    labels: labelColumns(table, isKept, allClasses),
    excluded,
    refusal: refusalOf(
      byClass.map((each) => each.length),
      settings,
    ),
  }
}

function labelColumns(table: ClassTable, isKept: readonly boolean[], allClasses: boolean): LabelColumn[] {
  const listed = table.filter((_, i) => allClasses || isKept[i])
  const classes = listed.map(({ name }) => name)
  if (table[0]!.group === null) return [{ column: 'label', classes }]
  const groups = groupsOf(listed)
  return [
    { column: 'label_v1', classes },
    // The original's code fails on fewer.
    { column: 'label_v2', classes: groups.length < FEWEST_CLASSES ? groupsOf(table) : groups },
  ]
}

/** @param sizes by class: images that could be used */
function refusalOf(sizes: readonly number[], { perClass, allClasses }: BenchmarkSettings): string | null {
  const needed = allClasses ? 1 : FEWEST_CLASSES
  const enough = sizes.filter((size) => size >= perClass).length
  if (enough >= needed) return null
  const found = `${formatCounted(enough, 'class', 'classes')} of ${sizes.length} ${enough === 1 ? 'has' : 'have'} ${formatCounted(perClass, 'image')}`
  const most = sizes.toSorted((a, b) => b - a)[needed - 1]!
  const advice =
    most > 0
      ? `perClass: ${most} would give ${formatCounted(sizes.filter((size) => size >= most).length, 'class', 'classes')}`
      : 'a larger region, or more held-out ground, has more'
  return `${found}, and a set needs ${needed}; ${advice}`
}

/** The share of pairs that a retrieval set is drawn from, as the original's: the most similar ones. */
const BEST = 0.3

/** Pairs among the most similar 30 % on the ground, by the first scorer, without look-alikes. */
export function choosePairs(
  { name }: SetDefinition,
  candidates: readonly Candidate[],
  { settings, looks, seed }: Choosing,
): ChosenSet {
  const excluded = new Map<string, number>()
  const fit: Candidate[] = []
  for (const candidate of candidates) {
    if (candidate.unfit === null) fit.push(candidate)
    else count(excluded, candidate.unfit)
  }
  fit.sort((a, b) => b.similarities[0]! - a.similarities[0]! || (a.id < b.id ? -1 : 1))
  const best = fit.slice(0, Math.ceil(BEST * fit.length))
  if (fit.length > best.length) count(excluded, 'not-among-best', fit.length - best.length)
  const drawn = inDrawnOrder(best, ({ id }) => id, name, seed)
  const firstOf = looks.firstOf(hashesOf(drawn, looks))
  const distinct = drawn.filter((_, i) => firstOf[i] === i)
  if (drawn.length > distinct.length) count(excluded, 'looks-like-another-image', drawn.length - distinct.length)
  const chosen = distinct.slice(0, settings.retrieval)
  if (distinct.length > chosen.length) count(excluded, 'beyond-largest-number', distinct.length - chosen.length)
  return {
    images: chosen.sort((a, b) => a.row - b.row).map((candidate) => ({ candidate, labels: [] })),
    labels: [],
    excluded,
    refusal:
      chosen.length > 0
        ? null
        : candidates.length === 0
          ? 'no pair is on its ground'
          : 'every pair on its ground looks like a training image, or shows ground of one',
  }
}

function inDrawnOrder<T>(items: readonly T[], idOf: (item: T) => string, set: string, seed: number): T[] {
  return items
    .map((item) => ({ item, id: idOf(item), draw: seededFraction(seed, `benchmark-${set}`, idOf(item)) }))
    .sort((a, b) => a.draw - b.draw || (a.id < b.id ? -1 : 1))
    .map(({ item }) => item)
}
