import { readdirSync } from 'node:fs'
import { expect } from 'vitest'

/** The modules of a folder by name, without tests, `index` and `others`. */
export function modulesIn(folder: URL, others: readonly string[] = []): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .filter((name) => !['index', ...others].includes(name))
}

/**
 * Expects each module of a folder to export one value, and the list to hold these values, each once.
 *
 * @param nameOf the name of its module that a value gives, if it gives any
 */
export async function expectListed<T>(
  folder: URL,
  list: readonly T[],
  { others = [], nameOf }: { readonly others?: readonly string[]; readonly nameOf?: (value: T) => string } = {},
): Promise<void> {
  const names = modulesIn(folder, others)
  const modules = await Promise.all(
    names.map(async (name) => Object.values(await import(/* @vite-ignore */ new URL(`${name}.ts`, folder).href))),
  )
  for (const [i, exported] of modules.entries()) {
    expect(exported, `values that ${names[i]} exports`).toHaveLength(1)
    expect(list, `the list without ${names[i]}`).toContain(exported[0])
    if (nameOf) expect(nameOf(exported[0] as T)).toBe(names[i])
  }
  expect(list).toHaveLength(names.length)
}
