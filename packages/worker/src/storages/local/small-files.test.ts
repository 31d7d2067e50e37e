import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createSmallFiles } from './small-files.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'skyscript-small-files-'))
})
afterEach(async () => {
  vi.restoreAllMocks()
  await rm(folder, { recursive: true })
})

/** Small files whose every operation takes as long as the times say, then 0.05 ms; and a clock that can be put forward. */
function onDisk(times: readonly number[]) {
  let now = 1000
  let reads = 0
  const left = [...times]
  vi.spyOn(performance, 'now').mockImplementation(() => (reads++ % 2 === 0 ? now : (now += left.shift() ?? 0.05)))
  const files = createSmallFiles(false)
  for (const i of times.keys()) files.put(join(folder, `${i}.txt`), 'x')
  vi.spyOn(performance, 'now').mockImplementation(() => now)
  return { files, wait: (ms: number) => (now += ms) }
}

test('one value that takes long, as on a busy machine, does not make a disk slow', () => {
  expect(onDisk([0.05, 15, 0.05, 0.05]).files.isFast()).toBe(true)
})

test('a disk that takes 5 ms for every value is slow, for a tenth of a second', () => {
  const { files, wait } = onDisk([5, 5, 5, 5, 5, 5])
  expect(files.isFast()).toBe(false)
  wait(101)
  expect(files.isFast()).toBe(true)
})

test('a disk that stops for a tenth of a second is slow at once', () => {
  expect(onDisk([100]).files.isFast()).toBe(false)
})

test('a disk behind a network is never fast', () => {
  expect(createSmallFiles(true).isFast()).toBe(false)
})
