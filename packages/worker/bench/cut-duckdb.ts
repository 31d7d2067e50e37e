/** The files of a cut, as DuckDB makes them on two threads. */
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'

const [manifest, folder] = process.argv.slice(2) as [string, string]
const instance = await DuckDBInstance.create(':memory:', { threads: '2', memory_limit: '2GB', temp_directory: folder })
const database = await instance.connect()
const run = (sql: string) => database.run(sql)
await run(`create table ranked as select file_row_number as row, id, split,
  row_number() over (order by similarity_CLIP_openai desc, id) as place
  from read_parquet('${manifest}', file_row_number = true)`)
await run(`create table picked as select row, split, place,
  row_number() over (partition by split order by md5(id)) as turn
  from ranked, (select count(*) as pairs from ranked) where place <= 0.3 * pairs and split in ('val', 'test')`)
const count = Number((await (await database.run('select count(*) from ranked')).getRows())[0]![0])
const columns = 'filepath, title, title_multi_objects, similarity_CLIP_openai'
const copy = (name: string, rows: string) =>
  run(`copy (select ${columns} from read_parquet('${manifest}', file_row_number = true) as m
    where m.file_row_number in (${rows})) to '${join(folder, name)}' (header)`)
await copy('train_unfiltered.csv', `select row from ranked where split = 'train'`)
for (const percent of [20, 30, 50]) {
  const most = Math.round((percent * count) / 100)
  await copy(`train_top${percent}.csv`, `select row from ranked where split = 'train' and place <= ${most}`)
}
await copy('val.csv', `select row from picked where split = 'val' and turn <= 5000`)
await copy('test.csv', `select row from picked where split = 'test' and turn <= 30000`)
await run(`copy (select * from read_parquet('${manifest}')) to '${join(folder, 'manifest.parquet')}' (format parquet)`)
process.stderr.write(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB\n`)
