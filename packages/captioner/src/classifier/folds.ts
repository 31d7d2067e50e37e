import { seededFraction } from '@skyscript/core'
import { byText } from '../tag-order.ts'

/** A tag and what a person said of it. */
export interface TagLabel {
  readonly key: string
  readonly value: string
  /** Coarsest GSD in m/pixel at which it can be seen, one of GSD_CLASSES; null: never seen. */
  readonly maxGsd: number | null
}

/**
 * A fold of each label, stratified by class: the labels of every class are dealt out in a seeded order, each class
 * starting at the fold after the previous one's last. So folds differ by at most one label, and by at most one of each
 * class.
 *
 * @param folds how many
 * @returns for each label a number in [0, folds)
 */
export function foldsByTag(labels: readonly TagLabel[], folds: number, seed: number): number[] {
  const drawn = labels.map(({ key, value, maxGsd }, i) => {
    const name = `${key}=${value}`
    return { i, name, maxGsd: maxGsd ?? 0, place: seededFraction(seed, 'classifier-fold-of-tag', name) }
  })
  drawn.sort((a, b) => a.maxGsd - b.maxGsd || a.place - b.place || byText(a.name, b.name))
  const fold = new Array<number>(labels.length).fill(0)
  for (const [dealt, { i }] of drawn.entries()) fold[i] = dealt % folds
  return fold
}

/**
 * A fold of each label, all tags of a key in one: shows how a classifier does on unseen keys. Keys of
 * many tags go first, each into the fold that has the fewest, so folds are about as large as the keys allow. Keys with
 * a tag that can be seen go before the others and are spread by those tags: where there are two such keys, what is left
 * beside any fold has visible tags to learn from. Among keys of equal size the seed decides.
 *
 * @returns for each label a number in [0, folds)
 */
export function foldsByKey(labels: readonly TagLabel[], folds: number, seed: number): number[] {
  const keys = new Map<string, { tags: number; visible: number }>()
  for (const { key, maxGsd } of labels) {
    const size = keys.get(key) ?? { tags: 0, visible: 0 }
    size.tags++
    if (maxGsd !== null) size.visible++
    keys.set(key, size)
  }
  const drawn = [...keys].map(([key, size]) => ({
    key,
    ...size,
    place: seededFraction(seed, 'classifier-fold-of-key', key),
  }))
  drawn.sort((a, b) => b.visible - a.visible || b.tags - a.tags || a.place - b.place || byText(a.key, b.key))
  const load = Array.from({ length: folds }, () => ({ tags: 0, visible: 0 }))
  const foldOf = new Map<string, number>()
  for (const { key, tags, visible } of drawn) {
    const by = visible > 0 ? 'visible' : 'tags'
    let lightest = 0
    for (let fold = 1; fold < folds; fold++) if (load[fold]![by] < load[lightest]![by]) lightest = fold
    load[lightest]!.tags += tags
    load[lightest]!.visible += visible
    foldOf.set(key, lightest)
  }
  return labels.map(({ key }) => foldOf.get(key)!)
}
