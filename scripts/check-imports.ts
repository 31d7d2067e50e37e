/**
 * Keeps imports one way: core <- http, dataset <- osm-extract, gee-fetch, captioner, filter, benchmark (never each other)
 * <- pipeline <- worker, with local-earth-engine between core and pipeline. No files may import each other in a circle, not even
 * types. Prints every import that breaks these rules, and exits 1 if there is one.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const STAGES = ['osm-extract', 'gee-fetch', 'captioner', 'filter', 'benchmark']

/** Packages of ours that each may import, in shipped code. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  core: [],
  http: ['core'],
  dataset: ['core'],
  ...Object.fromEntries(STAGES.map((name) => [name, ['core', 'http']])),
  filter: ['core', 'http', 'dataset'],
  benchmark: ['core', 'dataset'],
  'local-earth-engine': ['core'],
  pipeline: ['core', 'http', 'dataset', ...STAGES, 'local-earth-engine'],
  worker: ['core', 'http', 'dataset', ...STAGES, 'local-earth-engine', 'pipeline'],
}

/** `import … from 'x'`, `export … from 'x'` over one or several lines, `import 'x'`, and `import('x')`. */
const IMPORT =
  /^(?:import|export)\s[^'"=]*?\sfrom\s+['"]([^'"]+)['"]|^import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]/gm

/** Requests by Node's own clients; a style rule sees to `fetch` without a prefix. */
const OWN_REQUEST =
  /\bglobalThis\.(?:fetch|WebSocket|EventSource)\b|^import \{[^}]*\b(?:request|get)\b[^}]*\} from 'node:https?'|\bhttps?\.(?:request|get)\(/gm

const faults: string[] = []
/** Files that each file imports. */
const imports = new Map<string, string[]>()
for (const name of Object.keys(MAY_IMPORT)) {
  const folder = join(root, 'packages', name)
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    dependencies?: Record<string, string>
    devDependencies?: Record<string, string>
  }
  // A types-only package, `@types/x`, is imported as `x` and gone at run time.
  const types = Object.keys(manifest.devDependencies ?? {}).filter((each) => each.startsWith('@types/'))
  const named = new Set([
    ...Object.keys(manifest.dependencies ?? {}),
    ...types.map((each) => each.slice('@types/'.length)),
  ])
  for (const path of globSync('src/**/*.ts', { cwd: folder })) {
    if (path.endsWith('.test.ts')) continue
    const file = join(folder, path)
    const source = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '')
    if (name !== 'http') {
      for (const [found] of source.matchAll(OWN_REQUEST))
        faults.push(`${relative(root, file)}: ${found.trim()} asks other hosts past @skyscript/http`)
    }
    for (const match of source.matchAll(IMPORT)) {
      const target = match[1] ?? match[2] ?? match[3]!
      if (target.startsWith('.')) imports.set(file, [...(imports.get(file) ?? []), resolve(dirname(file), target)])
      const fault = faultOf(name, folder, file, target, named)
      if (fault) faults.push(`${relative(root, file)}: ${fault}`)
    }
  }
}
for (const circle of circlesOf(imports))
  faults.push(
    `${circle.map((file) => relative(root, file)).join(' -> ')} is a circle; move what they share to a file of its own`,
  )
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.stderr.write(
  faults.length === 0 ? 'imports keep to the layers\n' : `${faults.length} imports break the layers\n`,
)
process.exitCode = faults.length === 0 ? 0 : 1

function faultOf(
  name: string,
  folder: string,
  file: string,
  target: string,
  named: ReadonlySet<string>,
): string | null {
  if (target.startsWith('.')) {
    return resolve(dirname(file), target).startsWith(folder + sep)
      ? null
      : `imports ${target}, which is outside its package; import the package by name`
  }
  if (target === 'node:readline')
    return 'imports node:readline, which splits inside JSON strings; use readLines of core'
  if (target.startsWith('node:')) return null
  const ours = /^@skyscript\/([\w-]+)/.exec(target)?.[1]
  if (ours && !MAY_IMPORT[name]!.includes(ours)) return `imports @skyscript/${ours}, which ${name} must not know`
  const packageName = target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/')
  return named.has(packageName) ? null : `imports ${packageName}, which packages/${name}/package.json doesn't name`
}

/** Every set of files that reach each other by imports, as one path through it that ends where it began. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const path: string[] = []
  const seen = new Set<string>()
  const visit = (file: string): void => {
    const at = path.indexOf(file)
    if (at >= 0) circles.push([...path.slice(at), file])
    if (at >= 0 || seen.has(file)) return
    seen.add(file)
    path.push(file)
    for (const next of graph.get(file) ?? []) visit(next)
    path.pop()
  }
  for (const file of graph.keys()) visit(file)
  return circles
}
