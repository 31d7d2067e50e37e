import type { SourceAlias } from '@skyscript/core'
import { ch } from './ch.ts'
import { de } from './de.ts'
import { es } from './es.ts'
import { fi } from './fi.ts'
import { l8 } from './l8.ts'
import { l9 } from './l9.ts'
import { p3 } from './p3.ts'
import { p5 } from './p5.ts'
import { s2 } from './s2.ts'
import type { Source } from './source.ts'
import { us } from './us.ts'

/** Every source by its alias. */
export const SOURCES: Readonly<Record<SourceAlias, Source>> = {
  CH: ch,
  ES: es,
  DE: de,
  FI: fi,
  US: us,
  P3: p3,
  P5: p5,
  S2: s2,
  L8: l8,
  L9: l9,
}
