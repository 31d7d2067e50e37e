import type { Terminal } from '@skyscript/core'
import {
  cellsOf,
  cropToCells,
  formatBytes,
  formatCount,
  formatRate,
  formatSeconds,
  printable,
  printableLine,
} from '@skyscript/core'

/** A bar is drawn again at most this often; more only costs time and flickers over ssh. */
const DRAW_EVERY_MS = 100
/** Without a terminal, one line per stage at most this often, so that a log of hours stays readable. */
const LINE_EVERY_MS = 5000
/** Bars that get no update are drawn again this often, so that a stage that waits is seen to wait. */
const HEARTBEAT_MS = 1000
/** Rate and ETA look back this far: short enough to forget the shards that were found done, long enough to be calm. */
const RATE_WINDOW_MS = 20_000
const SAMPLE_EVERY_MS = 500
const BAR_CELLS = 24

/** What of `process.stderr` is needed. */
export interface TerminalStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
  readonly rows?: number
}

export interface TerminalOptions {
  /** A monotonic clock in milliseconds; default: `performance.now`. */
  readonly now?: () => number
  /** Source of NO_COLOR and TERM; default: `process.env`. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

interface Stage {
  readonly name: string
  readonly unit: string
  readonly started: number
  done: number
  total: number | undefined
  /** Oldest first; at least one. */
  readonly samples: { readonly time: number; readonly done: number }[]
  lineAt: number
}

const UP = (lines: number) => (lines > 0 ? `\x1b[${lines}A` : '')
const CLEAR_LINE = '\x1b[K'
const CLEAR_BELOW = '\x1b[J'

export function createTerminal(stream: TerminalStream, options: TerminalOptions = {}): Terminal {
  const now = options.now ?? (() => performance.now())
  const env = options.env ?? process.env
  const live = stream.isTTY === true && env.TERM !== 'dumb'
  const color = live && !env.NO_COLOR
  const paint = (code: number, text: string) => (color ? `\x1b[${code}m${text}\x1b[0m` : text)

  const stages: Stage[] = []
  let linesDrawn = 0
  let drawnAt = Number.NEGATIVE_INFINITY
  let heartbeat: NodeJS.Timeout | undefined

  /** Puts `above` over the bars and draws the bars anew, in one write, so that no half of it is ever seen. */
  const draw = (above: string) => {
    const shown = stages.slice(-Math.max(1, (stream.rows ?? 24) - 1))
    const bars = shown.map((stage) => `${barLine(stage, now(), (stream.columns || 80) - 1, paint)}${CLEAR_LINE}`)
    const permanent = above === '' ? '' : `${above.split('\n').join(`${CLEAR_LINE}\n`)}${CLEAR_LINE}\n`
    const leftover = linesDrawn > bars.length ? CLEAR_BELOW : ''
    stream.write(`${UP(linesDrawn)}\r${permanent}${bars.map((bar) => `${bar}\n`).join('')}${leftover}`)
    linesDrawn = bars.length
    drawnAt = now()
  }

  const say = (text: string) => (live ? draw(text) : void stream.write(`${text}\n`))

  return {
    stage(name, unit) {
      const time = now()
      const stage: Stage = {
        name: printableLine(name),
        unit: printableLine(unit),
        started: time,
        done: 0,
        total: undefined,
        samples: [{ time, done: 0 }],
        lineAt: time,
      }
      stages.push(stage)
      if (live) {
        draw('')
        heartbeat ??= setInterval(() => draw(''), HEARTBEAT_MS).unref()
      }
      return {
        update(done, total) {
          if (!stages.includes(stage)) return
          stage.done = done
          if (total !== undefined) stage.total = total
          const at = now()
          sample(stage, at)
          if (live) {
            if (at - drawnAt >= DRAW_EVERY_MS) draw('')
          } else if (at - stage.lineAt >= LINE_EVERY_MS) {
            stage.lineAt = at
            stream.write(`${plainLine(stage, at)}\n`)
          }
        },
        end(summary) {
          const index = stages.indexOf(stage)
          if (index < 0) return
          stages.splice(index, 1)
          if (stages.length === 0) {
            clearInterval(heartbeat)
            heartbeat = undefined
          }
          if (summary === null) {
            if (live) draw('')
            return
          }
          const result = summary === undefined ? amount(stage.done, stage.unit) : printableLine(summary)
          const seconds = formatSeconds((now() - stage.started) / 1000)
          say(`${paint(32, live ? '✓ ' : '')}${stage.name}: ${result} ${paint(2, `(${seconds})`)}`)
        },
      }
    },
    note(text) {
      say(printable(text))
    },
    warn(text) {
      say(`${paint(33, 'warning:')} ${printable(text)}`)
    },
  }
}

function sample(stage: Stage, time: number): void {
  const { samples } = stage
  if (time - samples[samples.length - 1]!.time >= SAMPLE_EVERY_MS) samples.push({ time, done: stage.done })
  while (samples.length > 2 && time - samples[1]!.time >= RATE_WINDOW_MS) samples.shift()
}

/** Units per second over the window; null while there is nothing to tell it from. */
function rateOf({ samples, done }: Stage, time: number): number | null {
  const { time: since, done: from } = samples[0]!
  const seconds = (time - since) / 1000
  return seconds >= 0.5 && done > from ? (done - from) / seconds : null
}

function amount(done: number, unit: string): string {
  return unit === 'bytes' ? formatBytes(done) : `${formatCount(done)} ${unit}`
}

function amountOf({ done, total, unit }: Stage): string {
  if (total === undefined) return amount(done, unit)
  if (unit === 'bytes') return `${formatBytes(done)}/${formatBytes(total)}`
  return `${formatCount(done)}/${formatCount(total)} ${unit}`
}

function paceOf(stage: Stage, time: number): string[] {
  const rate = rateOf(stage, time)
  if (rate === null) return [formatSeconds((time - stage.started) / 1000)]
  const pace = stage.unit === 'bytes' ? `${formatBytes(rate)}/s` : formatRate(rate)
  const left = stage.total === undefined ? null : Math.max(0, stage.total - stage.done)
  return left === null
    ? [pace, formatSeconds((time - stage.started) / 1000)]
    : [pace, `ETA ${formatSeconds(left / rate)}`]
}

function barLine(stage: Stage, time: number, cells: number, paint: (code: number, text: string) => string): string {
  const name = stage.name.padEnd(10)
  const facts = [amountOf(stage), ...paceOf(stage, time)].join('  ')
  const room = Math.min(BAR_CELLS, cells - cellsOf(name) - facts.length - 3)
  if (stage.total === undefined || room < 6) return cropToCells(`${name} ${facts}`, cells)
  const share = stage.total === 0 ? 1 : Math.min(1, Math.max(0, stage.done / stage.total))
  const full = Math.floor(share * room)
  return `${name} ${paint(36, '█'.repeat(full))}${paint(2, '░'.repeat(room - full))}  ${facts}`
}

function plainLine(stage: Stage, time: number): string {
  const share = stage.total ? ` (${Math.floor((100 * Math.min(stage.done, stage.total)) / stage.total)} %)` : ''
  return `${stage.name}: ${amountOf(stage)}${share}, ${paceOf(stage, time).join(', ')}`
}
