import type { Check } from '../check.ts'
import { disk } from './disk.ts'
import { extracts } from './extracts.ts'
import { files } from './files.ts'
import { imagery } from './imagery.ts'
import { models } from './models.ts'
import { node } from './node.ts'
import { output } from './output.ts'
import { packages } from './packages.ts'
import { queue } from './queue.ts'
import { secrets } from './secrets.ts'

/** Every check, in the order of its lines. */
export const CHECKS: readonly Check[] = [node, packages, secrets, disk, extracts, files, imagery, models, output, queue]
