import type { StageProgress, Terminal } from '@skyscript/core'
import type { Stage } from './stage.ts'

/** One stage's part in a flow, as progress shows it. */
interface Lane {
  readonly stage: Stage
  readonly before: Lane | null
  progress: StageProgress | null
  /** Weights of the shards that came so far, and of those that ended. */
  total: number
  ended: number
  /** Shards that came and have not ended. */
  open: number
  jobs: number
  failedJobs: number
  isClosed: boolean
  begun: Promise<void> | null
}

/** Shows all stages of a flow at once, and the whole of it. */
export interface Lanes {
  /** A shard comes. */
  enter(stage: Stage, weight: number): void
  /** A job is made; `first` is done once, before the stage's first job. */
  begin(stage: Stage, first: () => Promise<void>): Promise<void>
  /** A shard ended. Those that follow it came before. */
  leave(stage: Stage, weight: number, hasFailed?: boolean): void
  /** No more roots come. */
  close(): void
  /** Jobs by stage, of those that had any. */
  jobs(): Map<string, number>
}

export function createLanes(stages: readonly Stage[], terminal: Terminal): Lanes {
  const lanes = new Map<string, Lane>()
  for (const stage of stages) {
    const before = (stage.after !== null && lanes.get(stage.after)) || null
    const counts = { total: 0, ended: 0, open: 0, jobs: 0, failedJobs: 0 }
    lanes.set(stage.name, { stage, before, progress: null, ...counts, isClosed: false, begun: null })
  }
  const all = [...lanes.values()]
  let whole: StageProgress | null = null
  let hasAllRoots = false

  /** What the stages before have yet to send counts too, so that the time left is that of the whole region. */
  const coming = ({ before }: Lane): number => (before === null ? 0 : before.total - before.ended + coming(before))

  const draw = (lane: Lane) => {
    lane.progress?.update(lane.ended, lane.total + coming(lane))
    const sum = (of: (each: Lane) => number) => all.reduce((total, each) => total + of(each), 0)
    whole?.update(
      sum(({ ended }) => ended),
      sum((each) => each.total + coming(each)),
    )
  }

  const closeEnded = () => {
    for (const lane of all) {
      const { stage, before, open, total, jobs, failedJobs } = lane
      const hasAll = before === null ? hasAllRoots : before.isClosed
      if (lane.isClosed || !hasAll || open > 0) continue
      lane.isClosed = true
      lane.progress ??= terminal.stage(stage.name, stage.unit)
      const failed = failedJobs > 0 ? `, ${failedJobs} of ${jobs} jobs failed` : ''
      lane.progress.end(`${total} ${stage.unit}${jobs === 0 ? ', all done before' : failed}`)
    }
    if (all.every(({ isClosed }) => isClosed)) whole?.end(null)
  }

  return {
    enter({ name, unit }, weight) {
      const lane = lanes.get(name)!
      lane.progress ??= terminal.stage(name, unit)
      lane.total += weight
      lane.open++
    },
    begin({ name }, first) {
      const lane = lanes.get(name)!
      lane.jobs++
      if (all.length > 1) whole ??= terminal.stage('in all', 'steps')
      lane.begun ??= first()
      return lane.begun
    },
    leave({ name }, weight, hasFailed = false) {
      const lane = lanes.get(name)!
      lane.ended += weight
      lane.open--
      if (hasFailed) lane.failedJobs++
      draw(lane)
      closeEnded()
    },
    close() {
      hasAllRoots = true
      closeEnded()
    },
    jobs: () => new Map(all.flatMap(({ stage, jobs }) => (jobs > 0 ? [[stage.name, jobs] as const] : []))),
  }
}
