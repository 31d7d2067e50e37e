import { mkdir, mkdtemp, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createOutputGuard } from './output-roots.ts'

const allows = (root: string | readonly string[], dataset: string) =>
  createOutputGuard(typeof root === 'string' ? [root] : root)(dataset).then(
    () => true,
    (error) => {
      expect(error).toMatchObject({ name: 'InputError', code: 'output-not-allowed' })
      return false
    },
  )

describe('an output root in a bucket', () => {
  test.each([
    ['s3://data/maps', 's3://data/maps', true],
    ['s3://data/maps/', 's3://data/maps', true],
    ['s3://data/maps', 's3://data/maps/malta', true],
    ['s3://data', 's3://data/anything/at/all', true],
    ['s3://data/maps', 's3://data/maps-private/malta', false],
    ['s3://data/maps', 's3://data/map', false],
    ['s3://data/maps', 's3://data', false],
    ['s3://data', 's3://data2', false],
    ['s3://data/maps', 's3://other/maps/malta', false],
    ['s3://data/maps', 's3://data/maps/../private', false],
    ['s3://data/maps', 's3://data/maps//private', false],
    ['s3://data/maps', 'file:///data/maps', false],
    ['s3://data/maps', '/data/maps', false],
    ['/', 's3://data/maps', false],
  ])('%s and %s: %s', async (root, dataset, allowed) => {
    expect(await allows(root, dataset)).toBe(allowed)
  })

  test.each(['s3://', 's3:///x', 's3://data/../x', 'gs://data/x'])('%s is not a root', (root) => {
    expect(() => createOutputGuard([root])).toThrow(/must be a folder or s3:/)
  })
})

describe('an output root in a folder', () => {
  let path: string
  beforeAll(async () => {
    path = await realpath(await mkdtemp(join(tmpdir(), 'skyscript-roots-')))
    await mkdir(join(path, 'open', 'malta'), { recursive: true })
    await mkdir(join(path, 'open-but-not', 'malta'), { recursive: true })
    await mkdir(join(path, 'private'))
    await symlink(join(path, 'private'), join(path, 'open', 'out'))
    await symlink(join(path, 'open'), join(path, 'in'))
    await symlink(join(path, 'open', 'loop'), join(path, 'open', 'loop'))
    await symlink(join(path, 'private', 'later'), join(path, 'open', 'later'))
  })
  afterAll(() => rm(path, { recursive: true }))

  test.each([
    ['open', 'open', true],
    ['open/', 'open/malta', true],
    ['open', 'open/not/there/yet', true],
    ['open', 'open/../open/malta', true],
    ['open', 'open-but-not/malta', false],
    ['open', 'open/../private', false],
    ['open', 'private', false],
    ['open', 'open/out', false],
    ['open', 'open/out/below', false],
    ['open', 'in/malta', true],
    ['in', 'open/malta', true],
    ['open', 'open/loop/x', false],
    ['open', 'open/later', false],
    ['open', 'open/later/x', false],
    ['not-there', 'not-there/malta', true],
  ])('%s and %s: %s', async (root, dataset, allowed) => {
    expect(await allows(join(path, root), join(path, dataset))).toBe(allowed)
  })

  test('/ allows every folder, several roots allow their union, and without roots everything is allowed', async () => {
    expect(await allows('/', path)).toBe(true)
    expect(await allows([join(path, 'private'), 's3://data'], join(path, 'private', 'x'))).toBe(true)
    expect(await allows([join(path, 'private'), 's3://data'], 's3://data/x')).toBe(true)
    expect(await allows([], 's3://anywhere')).toBe(true)
  })
})
