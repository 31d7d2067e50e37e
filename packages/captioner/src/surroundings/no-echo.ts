import type { SurroundingRule } from './surrounding.ts'

/** What says just what is said of the focus object is not said again, nor what says nothing. Seen in released captions. */
export const noEcho: SurroundingRule = {
  name: 'no-echo',
  apply: (objects, { focus }) => objects.filter(({ phrase }) => phrase !== focus.phrase && phrase !== ''),
}
