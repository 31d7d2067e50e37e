/**
 * Looks for turns of phrase that a stranger has to read twice, in docs, help, messages, comments and test names. What is named
 * in `english-pending.txt` was not revised yet; what has no finding should be taken off that list. `english-allowed.txt` has
 * reviewed sentences that use a word in its ordinary meaning, one a line: `file: part of the line`.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PHRASES = [
  'unless told',
  'hangs on',
  'hang on',
  'so many',
  "of one's own",
  'tells',
  'lies',
  'goes on',
  'go on',
  'comes by',
  'whoever',
  'is due',
  'asked of',
  'stands in',
  'reach over',
  'reaches over',
  'alone',
  'each of',
  'what it knows',
]
const PATTERN = new RegExp(`\\b(?:${PHRASES.join('|').replaceAll(' ', '\\s+(?:(?:\\*|//|#)\\s+)?')})\\b`, 'gi')

/** Comments, and strings: what follows `//` or `/*`, and what quotes enclose. */
const PROSE = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g

/** Where texts for people are in a file; of code its comments, and strings of several words. */
function* proseOf(file: string, text: string): Generator<{ readonly at: number; readonly words: string }> {
  if (!/\.(?:ts|mjs|cjs)$/.test(file)) {
    yield { at: 0, words: text }
    return
  }
  for (const { 0: words, index } of text.matchAll(PROSE)) if (/\s/.test(words)) yield { at: index, words }
}

const folder = dirname(fileURLToPath(import.meta.url))
const root = join(folder, '..')
const linesOf = (name: string) =>
  readFileSync(join(folder, name), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
const pending = linesOf('english-pending.txt')
/** A file by its name, or all of a folder, which ends in /. */
const isPending = (file: string) => pending.some((each) => (each.endsWith('/') ? file.startsWith(each) : file === each))
const allowed = linesOf('english-allowed.txt').map((line) => {
  const [file = '', ...text] = line.split(': ')
  return { file, text: text.join(': ') }
})

const SKIPPED = ['node_modules', 'out', '.cache', '.git', 'package-lock.json', 'check-english.ts']
const files = globSync('**/*.{md,ts,mjs,cjs,py,yml,yaml}', { cwd: root, exclude: (name) => SKIPPED.includes(name) })
const faults: string[] = []
/** Of what is pending, what still needs revision. */
const left = new Set<string>()
const used = new Set<unknown>()
for (const file of files.filter((path) => !SKIPPED.includes(path.split('/').at(-1)!)).sort()) {
  const text = readFileSync(join(root, file), 'utf8')
  const matches = [...proseOf(file, text)].flatMap(({ at, words }) =>
    [...words.matchAll(PATTERN)].map((match) => ({ words: match[0], index: at + match.index })),
  )
  const found = matches.flatMap(({ words, index }) => {
    const start = text.lastIndexOf('\n', index) + 1
    const end = text.indexOf('\n', index + words.length)
    const line = text.slice(start, end === -1 ? undefined : end)
    const rule = allowed.find((each) => each.file === file && line.includes(each.text))
    if (rule !== undefined) used.add(rule)
    const number = text.slice(0, index).split('\n').length
    return rule === undefined ? [`${file}:${number}: "${words.replace(/\s+/g, ' ')}" in: ${line.trim()}`] : []
  })
  if (!isPending(file)) faults.push(...found)
  else if (found.length > 0) for (const each of pending) if (file.startsWith(each)) left.add(each)
}
for (const rule of allowed)
  if (!used.has(rule)) faults.push(`scripts/english-allowed.txt: ${rule.file}: ${rule.text}: is not there any more`)
const revised = pending.filter((each) => !left.has(each))
if (revised.length > 0) process.stderr.write(`take off scripts/english-pending.txt: ${revised.join(', ')}\n`)
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.stderr.write(
  faults.length === 0 ? `wording is plain, pending: ${pending.join(', ')}\n` : `${faults.length} places to reword\n`,
)
process.exitCode = faults.length === 0 ? 0 : 1
