import { connectorIs } from './connector-is.ts'
import { keyName } from './key-name.ts'
import { lifecycle } from './lifecycle.ts'
import { noConnector } from './no-connector.ts'
import { ownPhrase } from './own-phrase.ts'
import { road } from './road.ts'
import type { Rule } from './rule.ts'
import { valueName } from './value-name.ts'
import { valueYes } from './value-yes.ts'

/** In the order of application: what is taken off the key first, what replaces the whole phrase last. */
export const RULES: readonly Rule[] = [
  lifecycle,
  keyName,
  connectorIs,
  noConnector,
  valueName,
  road,
  valueYes,
  ownPhrase,
]
