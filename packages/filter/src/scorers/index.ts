import type { ScorerOptions } from '../scorer-options.ts'
import type { Engine } from './engine.ts'
import { onnxClip } from './onnx-clip.ts'
import { remoteClip } from './remote-clip.ts'

/** Every engine; the last runs what no other does. */
export const ENGINES: readonly Engine[] = [remoteClip, onnxClip]

export const engineFor = (options: ScorerOptions): Engine => ENGINES.find((engine) => engine.serves(options))!
