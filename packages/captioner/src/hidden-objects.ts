import { type HiddenRule, parseCsv, type TagCondition, type TagPattern } from '@skyscript/core'
import { compileAnyOf } from './tag-pattern.ts'

/** A number below 0, as levels and layers have it; -0 is 0. */
const BELOW = String.raw`-(?!0+(?:[.,]0+)?(?![\d.,]))\d+(?:[.,]\d+)?`
/** `-1`, `-2;-1`, `-3--1`: numbers and ranges, all below 0. */
const ALL_BELOW = new RegExp(`^${BELOW}(?: *(?:-|to|[;,]) *${BELOW})*$`)

/**
 * Reads a table of hidden objects: `tags,unless,reason,why`. A condition is `keys=values`, each a list of patterns with
 * `|` between; the value `<0` stands for numbers that are all below 0. Conditions of `tags` stand between ` & `, those of
 * `unless` between ` | `.
 */
export function parseHiddenRules(text: string): HiddenRule[] {
  return parseCsv(text, 'hidden-objects.csv').rows.map(({ fields: [tags, unless, reason] }) => ({
    tags: tags!.split(' & ').map(conditionOf),
    unless: unless === '' ? [] : unless!.split(' | ').map(conditionOf),
    reason: reason!,
  }))
}

function conditionOf(text: string): TagCondition {
  const at = text.indexOf('=')
  if (at < 1) throw new TypeError(`"${text}" is not keys=values.`)
  return { key: anyOf(text.slice(0, at)), value: anyOf(text.slice(at + 1)) }
}

const anyOf = (list: string): TagPattern => (list === '<0' ? ALL_BELOW : compileAnyOf(list.split('|')))
