/** Options that commands about tags and captions share. */
import { LABELS } from '@skyscript/core'
import { oneOf, option } from './command.ts'

export const labelsOption = option(
  '--labels <set>',
  'which tags count: visible ones (default), or also those that the original of 2023 let through',
  oneOf(LABELS),
)

export const tagsOption = option('--tags <file>', 'CSV file key,value,max_gsd that overrides the shipped tables')

export const MODEL = "a CLIP folder in the hub's layout, or a hub id"
