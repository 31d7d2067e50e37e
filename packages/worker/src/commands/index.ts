import type { Command } from '../command.ts'
import { applyChanges } from './apply-changes.ts'
import { benchmark } from './benchmark.ts'
import { build } from './build.ts'
import { caption } from './caption.ts'
import { cut } from './cut.ts'
import { diff } from './diff.ts'
import { doctor } from './doctor.ts'
import { evaluate } from './evaluate.ts'
import { exportDataset } from './export.ts'
import { extract } from './extract.ts'
import { localEarthEngine } from './local-earth-engine.ts'
import { plan } from './plan.ts'
import { score } from './score.ts'
import { sources } from './sources.ts'
import { tags } from './tags.ts'
import { tagsCoverage } from './tags-coverage.ts'
import { tagsTrain } from './tags-train.ts'
import { update } from './update.ts'
import { verify } from './verify.ts'
import { worker } from './worker.ts'

/** Every command, in the order of the help. A subcommand comes after its parent. */
export const COMMANDS: readonly Command[] = [
  build,
  update,
  plan,
  sources,
  worker,
  extract,
  applyChanges,
  tags,
  tagsTrain,
  tagsCoverage,
  caption,
  score,
  cut,
  benchmark,
  evaluate,
  verify,
  diff,
  exportDataset,
  doctor,
  localEarthEngine,
]
