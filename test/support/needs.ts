/**
 * What some tests need from outside the repository. `test.skipIf(lacks(GDAL))('...')` skips where it is missing, and a
 * test of its own says so: skipped on a developer's machine, failed with CI=true. CI may lack only what it can't get.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'vitest'

export interface Need {
  /** `gdal_translate`, or a file beside the checkout. */
  readonly name: string
  readonly isThere: () => boolean
  /** How to get it. */
  readonly advice: string
  /** Whether CI can't have it either. */
  readonly ciMayLack?: () => boolean
}

/** Data beside a development checkout, no part of the repository. */
const SHARED = fileURLToPath(new URL('../../../shared', import.meta.url))

export const PYTHON: Need = program('python3', 'python3')
export const GDAL: Need = program('gdal_translate', 'gdal-bin')
export const MAPSERVER: Need = program('mapserv', 'cgi-mapserver')
export const MAPPROXY: Need = program('mapproxy-util', 'mapproxy', 1)
export const OSMIUM: Need = program('osmium', 'osmium-tool')

/** A file or folder below ../shared; CI must have all of them if it has that folder. */
export function sharedFile(...path: readonly string[]): Need {
  return {
    name: ['..', 'shared', ...path].join('/'),
    isThere: () => existsSync(join(SHARED, ...path)),
    advice: 'it is no part of the repository',
    ciMayLack: () => !existsSync(SHARED),
  }
}

const told = new Set<string>()

/** Whether something is missing; says what, once for each test file. */
export function lacks(...needs: readonly Need[]): boolean {
  const missing = needs.filter(({ isThere }) => !isThere())
  for (const need of missing.filter(({ name }) => !told.has(name))) {
    told.add(need.name)
    const message = `${need.name} is missing: ${need.advice}`
    if (mustHave(need)) {
      test(`the tests here have ${need.name}`, () => {
        throw new Error(`${message}. With CI=true no test may be skipped for want of it.`)
      })
    } else {
      process.stderr.write(`Skipped tests: ${message}.\n`)
      test.skip(message)
    }
  }
  return missing.length > 0
}

function mustHave({ ciMayLack }: Need): boolean {
  return process.env.CI === 'true' && !(ciMayLack?.() ?? false)
}

/** @param status what its `--version` exits with */
function program(command: string, debian: string, status = 0): Need {
  return {
    name: command,
    isThere: () => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === status,
    advice: `install it (Debian: apt-get install ${debian})`,
  }
}
