/**
 * Writes packages/gee-fetch/tables/north-first.txt: EPSG codes of the projected systems whose first axis points north, as
 * PROJ's database has them, in ranges. Needs proj-data's proj.db.
 *
 * npm exec -- node scripts/north-first.ts [/usr/share/proj/proj.db]
 */
import { writeFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'

const QUERY = `
  SELECT CAST(crs.code AS INTEGER) AS code FROM projected_crs AS crs
  JOIN axis ON axis.coordinate_system_auth_name = crs.coordinate_system_auth_name
    AND axis.coordinate_system_code = crs.coordinate_system_code
  WHERE crs.auth_name = 'EPSG' AND axis.coordinate_system_order = 1 AND axis.orientation = 'north'
  ORDER BY 1`

const [, , path = '/usr/share/proj/proj.db'] = process.argv
const database = new DatabaseSync(path, { readOnly: true })
const ranges: [first: number, last: number][] = []
for (const row of database.prepare(QUERY).all()) {
  const code = Number(row.code)
  const last = ranges.at(-1)
  if (last && last[1] === code - 1) last[1] = code
  else ranges.push([code, code])
}
const lines = ranges.map(([first, last]) => (first === last ? `${first}\n` : `${first}-${last}\n`))
await writeFile(new URL('../packages/gee-fetch/tables/north-first.txt', import.meta.url), lines.join(''))
