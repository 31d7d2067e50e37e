import { answersKey } from './answers.ts'
import { PROBE } from './cost.ts'
import type { Flow } from './flow.ts'
import { HEADS_FOLDER } from './heads.ts'
import { TIMES_KEY } from './offered-times.ts'
import { LEASE_FOLDER } from './ownership/lease.ts'
import type { Prepared } from './prepare.ts'
import { SEAL } from './presence/listing.ts'
import { resultKey } from './results.ts'
import { requestsKey } from './run.ts'
import { runKey } from './runner/runner.ts'
import { type PlanHead, plan } from './stages/plan.ts'

/**
 * Deletes work products that the finished dataset doesn't need: results of older settings and of an older map. Only
 * after a whole build, so that what an unfinished one may still use stays.
 */
export async function removeUnused(
  { storage, run, facts, learnedTags, roots }: Prepared,
  { done }: Flow,
  assembled: string,
): Promise<void> {
  const keys = new Set([SEAL, PROBE, TIMES_KEY, runKey(run), assembled, ...learnedTags])
  for (const results of done.values()) for (const { job } of results.values()) keys.add(resultKey(job))
  for (const { shard: tile } of roots) keys.add(answersKey(tile))
  for (const { head } of done.get(plan.name)!.values())
    for (const { shard, content } of (head as PlanHead).leaves) keys.add(requestsKey(shard, content))
  const { extract, select } = facts.run
  const folders = [LEASE_FOLDER, HEADS_FOLDER, `work/extract/${extract}/`, `work/select/${select}/`]
  for await (const { key } of storage.list('work/'))
    if (!keys.has(key) && !folders.some((folder) => key.startsWith(folder))) await storage.delete(key)
}
