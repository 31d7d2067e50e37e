/** Sees whether every relative link of the Markdown files leads to a file, and its anchor to a heading. */
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const files = globSync('**/*.md', { cwd: root, exclude: (name) => ['node_modules', 'out', '.cache'].includes(name) })

/** Text without what Markdown does not read as such: fenced code and code spans. */
const withoutCode = (text: string) =>
  text
    .replace(/^(```+|~~~+)[\s\S]*?^\1[^\S\n]*$/gm, '')
    .replace(/(`+)(?!`)[\s\S]*?[^`]\1(?!`)/g, (code) => code.replace(/[[\]()]/g, ' '))

/** As GitHub makes them: lower case, blanks to dashes, punctuation left out, a number after one that was there before. */
function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>()
  const text = readFileSync(file, 'utf8').replace(/^(```+|~~~+)[\s\S]*?^\1[^\S\n]*$/gm, '')
  for (const [, heading] of text.matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = heading!.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/[`*]/g, '')
    const anchor = plain
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\p{M} _-]/gu, '')
      .replaceAll(' ', '-')
    let name = anchor
    for (let n = 1; anchors.has(name); n++) name = `${anchor}-${n}`
    anchors.add(name)
  }
  return anchors
}

const faults: string[] = []
let links = 0
for (const path of files) {
  const file = join(root, path)
  const text = withoutCode(readFileSync(file, 'utf8'))
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map((match) => match[1]!)
  const referenced = [...text.matchAll(/^\s*\[[^\]]+\]:\s*(\S+)/gm)].map((match) => match[1]!)
  for (const target of [...inline, ...referenced]) {
    if (/^[a-z][a-z0-9+.-]*:/i.test(target)) continue
    links++
    const [place = '', anchor] = target.split('#')
    const found = place === '' ? file : resolve(dirname(file), decodeURIComponent(place))
    const fault = !existsSync(found)
      ? 'there is no such file'
      : anchor !== undefined && (statSync(found).isDirectory() || !anchorsOf(found).has(decodeURIComponent(anchor)))
        ? 'there is no such heading'
        : null
    if (fault !== null) faults.push(`${relative(root, file)}: ${target}: ${fault}`)
  }
}
for (const fault of faults) process.stderr.write(`${fault}\n`)
process.stderr.write(
  faults.length === 0
    ? `${links} links of ${files.length} Markdown files lead somewhere\n`
    : `${faults.length} broken links\n`,
)
process.exitCode = faults.length === 0 ? 0 : 1
