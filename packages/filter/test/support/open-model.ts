/** A separate process that opens a hub model, says so and ends: `node open-model.ts <hub> <id> <cache folder>`. */
import { findModel } from '../../src/model/find-model.ts'

const [hub, model, cacheFolder] = process.argv.slice(2) as [string, string, string]
const { identity } = await findModel({ hub, model, cacheFolder })
process.stdout.write(`${JSON.stringify(identity)}\n`)
