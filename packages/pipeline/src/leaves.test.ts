import type { Listed, Storage } from '@skyscript/core'
import { expect, test } from 'vitest'
import { MemoryStorage } from '../../dataset/test/support/memory-storage.ts'
import { overlapping } from './leaves.ts'

test('results of leaves that share ground are found with one listing, and one more for each folder of an earlier version', async () => {
  const storage = new MemoryStorage()
  const sharing = ['q.a.jsonl', 'q0.b.jsonl', 'q01.c.jsonl', 'q01/d.json', 'q01/e.json', 'q0132.f.jsonl']
  const others = ['q1.a.jsonl', 'q00.a.jsonl', 'q02/a.json', 'q10.a.jsonl']
  for (const name of [...sharing, ...others]) await storage.put(`work/score/7_4/${name}`, '')
  await storage.put('work/score/7_41/q01.other.jsonl', '')
  const asked: string[] = []
  const watched = {
    list(prefix: string, depth?: 'shallow' | 'names'): AsyncIterable<Listed> {
      asked.push(prefix)
      return storage.list(prefix, depth)
    },
  } as Storage
  expect(await overlapping(watched, 'work/score', '7_4/q01')).toEqual(sharing.map((name) => `work/score/7_4/${name}`))
  expect(asked).toHaveLength(2)
})
