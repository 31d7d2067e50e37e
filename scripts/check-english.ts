/**
 * Looks for phrases that a stranger has to read twice, in docs, help, messages, comments and test names.
 * `english-allowed.txt` lists the reviewed lines that use such a phrase in its ordinary meaning: `file: part of the line`.
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
const PATTERN = new RegExp(
  `\\b(?:${PHRASES.join('|').replaceAll(' ', '\\s+(?:(?:\\*|//|#)\\s+)?').replaceAll("'", "['’]")})\\b`,
  'gi',
)

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
const allowed = readFileSync(join(folder, 'english-allowed.txt'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [file = '', ...text] = line.split(': ')
    return { file, text: text.join(': ') }
  })

const SKIPPED = ['node_modules', 'out', '.cache', '.git', 'package-lock.json', 'check-english.ts']
const files = globSync('**/*.{md,ts,mjs,cjs,py,yml,yaml}', { cwd: root, exclude: (name) => SKIPPED.includes(name) })
const faults: string[] = []
const used = new Set<unknown>()
for (const file of files.filter((path) => !SKIPPED.includes(path.split('/').at(-1)!)).sort()) {
  const text = readFileSync(join(root, file), 'utf8')
  const matches = [...proseOf(file, text)].flatMap(({ at, words }) =>
    [...words.matchAll(PATTERN)].map((match) => ({ words: match[0], index: at + match.index })),
  )
  for (const { words, index } of matches) {
    const start = text.lastIndexOf('\n', index) + 1
    const end = text.indexOf('\n', index + words.length)
    const line = text.slice(start, end === -1 ? undefined : end)
    const rule = allowed.find((each) => each.file === file && line.includes(each.text))
    if (rule !== undefined) {
      used.add(rule)
      continue
    }
    const number = text.slice(0, index).split('\n').length
    faults.push(`${file}:${number}: "${words.replace(/\s+/g, ' ')}" in: ${line.trim()}`)
  }
}
for (const rule of allowed)
  if (!used.has(rule)) faults.push(`scripts/english-allowed.txt: ${rule.file}: ${rule.text}: is not there any more`)
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.stderr.write(faults.length === 0 ? 'wording is plain\n' : `${faults.length} places to reword\n`)
process.exitCode = faults.length === 0 ? 0 : 1
