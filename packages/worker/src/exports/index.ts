import { benchmarkZip } from './benchmark-zip.ts'
import { card } from './card.ts'
import { clipBenchmark } from './clip-benchmark.ts'
import { croissant } from './croissant.ts'
import type { ExportFormat } from './format.ts'
import { huggingFace } from './hugging-face.ts'
import { imageFolder } from './image-folder.ts'
import { openclip } from './openclip.ts'
import { webdataset } from './webdataset.ts'
import { zip } from './zip.ts'

/** Every format of `skyscript export`, in the order of the help. */
export const FORMATS: readonly ExportFormat[] = [
  webdataset,
  openclip,
  zip,
  croissant,
  card,
  clipBenchmark,
  imageFolder,
  huggingFace,
  benchmarkZip,
]
