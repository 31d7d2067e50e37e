import type { SurroundingRule } from './surrounding.ts'

/** Of an object with a `highway` tag that can be seen nothing else is named. Seen in released captions. */
export const roadsAlone: SurroundingRule = {
  name: 'roads-alone',
  apply: (objects) =>
    objects.map((object) => {
      const road = object.facts.find(({ key }) => key === 'highway')
      return road === undefined ? object : { ...object, facts: [road], phrase: road.phrase }
    }),
}
