import { stripVTControlCharacters } from 'node:util'
import { formatBytes, formatCount, formatRate, formatSeconds, printable } from '@skyscript/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cellsOf, cropToCells } from '../../../core/src/printable.ts'
import { createTerminal } from './terminal.ts'

// biome-ignore lint/suspicious/noControlCharactersInRegex: it reads escape sequences
const TOKEN = /\x1b\[\d*[A-Za-z]|[\s\S]/g

/** Keeps what a terminal would show: understands the few sequences that we write, and refuses any other. */
class Screen {
  readonly isTTY = true
  readonly columns: number
  readonly lines: string[] = ['']
  writes = 0
  raw = ''
  #row = 0
  #column = 0

  constructor(columns = 80) {
    this.columns = columns
  }

  write(text: string): void {
    this.writes++
    this.raw += text
    for (const [token] of text.matchAll(TOKEN)) this.#apply(token)
  }

  #apply(token: string): void {
    if (token === '\n') {
      this.#row++
      this.#column = 0
      this.lines[this.#row] ??= ''
    } else if (token === '\r') this.#column = 0
    else if (/^\d+A$/.test(token.slice(2))) this.#row -= Number(token.slice(2, -1))
    else if (token === '\x1b[K') this.lines[this.#row] = this.lines[this.#row]!.slice(0, this.#column)
    else if (token === '\x1b[J') {
      this.lines.splice(this.#row + 1)
      this.lines[this.#row] = ''
    } else if (/^\d+m$/.test(token.slice(2))) return
    else if (token.startsWith('\x1b')) throw new Error(`unexpected sequence ${JSON.stringify(token)}`)
    else {
      const line = this.lines[this.#row]!
      this.lines[this.#row] = line.slice(0, this.#column) + token + line.slice(this.#column + 1)
      this.#column++
    }
  }
}

function onScreen(options: { columns?: number; env?: Record<string, string> } = {}) {
  const screen = new Screen(options.columns)
  const clock = { time: 0 }
  return { screen, clock, terminal: createTerminal(screen, { now: () => clock.time, env: options.env ?? {} }) }
}

function onPipe() {
  const lines: string[] = []
  const clock = { time: 0 }
  const stream = { write: (text: string) => void lines.push(text) }
  return { lines, clock, terminal: createTerminal(stream, { now: () => clock.time, env: {} }) }
}

test('a terminal shows one bar per running stage, and messages above the bars', () => {
  const { screen, clock, terminal } = onScreen()
  const fetch = terminal.stage('fetch', 'images')
  const caption = terminal.stage('caption', 'shards')
  clock.time = 1000
  fetch.update(250, 1000)
  clock.time = 2000
  caption.update(1, 4)
  terminal.note('reading queens.osm.pbf')
  expect(screen.lines).toHaveLength(4)
  expect(screen.lines[0]).toBe('reading queens.osm.pbf')
  expect(screen.lines[1]).toMatch(/^fetch +█{6}░{18} {2}250\/1,000 images {2}125\/s {2}ETA 6s$/)
  expect(screen.lines[2]).toMatch(/^caption +█{6}░{18} {2}1\/4 shards {2}0\.50\/s {2}ETA 6s$/)
  clock.time = 8000
  fetch.end('1,000 images')
  caption.end()
  expect(screen.lines).toEqual(['reading queens.osm.pbf', '✓ fetch: 1,000 images (8s)', '✓ caption: 1 shards (8s)', ''])
})

test('bars are drawn at most ten times a second', () => {
  const { screen, clock, terminal } = onScreen()
  const stage = terminal.stage('fetch', 'images')
  const before = screen.writes
  for (let i = 1; i <= 1000; i++) {
    clock.time = i
    stage.update(i, 1000)
  }
  expect(screen.writes - before).toBeLessThanOrEqual(10)
  expect(screen.writes - before).toBeGreaterThanOrEqual(9)
  stage.end()
})

test('a bar fits into any width', () => {
  for (const columns of [10, 20, 40, 60, 200]) {
    const { screen, clock, terminal } = onScreen({ columns })
    const stage = terminal.stage('a stage with a 名前 of its own', 'images')
    clock.time = 2000
    stage.update(123_456, 9_999_999)
    expect(cellsOf(screen.lines[0]!)).toBeLessThan(columns)
    stage.end()
  }
})

test('NO_COLOR leaves no colour, and a dumb terminal gets plain lines', () => {
  const plain = onScreen({ env: { NO_COLOR: '1' } })
  plain.terminal.warn('disk is low')
  plain.terminal.stage('fetch', 'images').end()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for colour sequences
  expect(plain.screen.raw).not.toMatch(/\x1b\[\d+m/)
  const coloured = onScreen()
  coloured.terminal.warn('disk is low')
  expect(coloured.screen.raw).toContain('\x1b[33m')
  const dumb = onScreen({ env: { TERM: 'dumb' } })
  dumb.terminal.stage('fetch', 'images').end()
  expect(dumb.screen.raw).toBe('fetch: 0 images (0s)\n')
})

test('without a terminal each stage writes a line every five seconds and one at its end', () => {
  const { lines, clock, terminal } = onPipe()
  const stage = terminal.stage('fetch', 'images')
  for (let second = 1; second <= 12; second++) {
    clock.time = second * 1000
    stage.update(second * 10, 200)
  }
  stage.end('120 images, 3 dropped')
  stage.end('again')
  stage.update(5)
  expect(lines).toEqual([
    'fetch: 50/200 images (25 %), 10/s, ETA 15s\n',
    'fetch: 100/200 images (50 %), 10/s, ETA 10s\n',
    'fetch: 120 images, 3 dropped (12s)\n',
  ])
})

test('the rate forgets what was found done at the start', () => {
  const { lines, clock, terminal } = onPipe()
  const stage = terminal.stage('fetch', 'images')
  clock.time = 600
  stage.update(100_000, 200_000)
  for (let second = 1; second <= 60; second++) {
    clock.time = second * 1000
    stage.update(100_000 + second * 10, 200_000)
  }
  expect(lines.at(-1)).toContain(' 10/s,')
})

test('no control character from outside reaches the stream', () => {
  expect(printable('\x1b[2J\x1b]0;title\x07a\tb\x9b31mc\u202ed\u0000\rn')).toBe('a bcdn')
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\x1b[2J', '\u202e', '\x9b', '\r', '\x07', ''),
      (text, evil) => {
        const { lines, terminal } = onPipe()
        terminal.note(text + evil + text)
        terminal.warn(evil + text)
        terminal.stage(`s${evil}${text}`, text).end(text + evil)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: it looks for control characters
        expect(lines.join('')).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/)
        expect(lines.join('').isWellFormed()).toBe(true)
      },
    ),
  )
})

test('lines are cropped by cells, not by code units', () => {
  expect(cropToCells('日本語', 5)).toBe('日本')
  expect(cropToCells('e\u0301e\u0301e', 2)).toBe('e\u0301e\u0301')
  expect(cropToCells('ab😀', 3)).toBe('ab')
  expect(stripVTControlCharacters(cropToCells('abc', 10))).toBe('abc')
})

test('numbers read the same everywhere', () => {
  expect([0, 999, 1000, 1234567].map(formatCount)).toEqual(['0', '999', '1,000', '1,234,567'])
  expect([0, 812, 3400, 5.2e6, 8.1e10].map(formatBytes)).toEqual(['0 B', '812 B', '3.4 kB', '5.2 MB', '81 GB'])
  expect([8, 185, 7620, 273_600].map(formatSeconds)).toEqual(['8s', '3m 05s', '2h 07m', '3d 04h'])
  expect([0.25, 8.3, 42.4, 1250].map(formatRate)).toEqual(['0.25/s', '8.3/s', '42/s', '1,250/s'])
})
