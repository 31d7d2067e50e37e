import { serveThread } from '@skyscript/core'
import { faultCodec } from '../pbf-fault.ts'
import { type BlobSource, type BlobTask, blobAnswers } from './blob-tasks.ts'

let answer: ReturnType<typeof blobAnswers>['answer']

serveThread(
  {
    open({ path, lookedFor }: BlobSource) {
      answer = blobAnswers(path, lookedFor).answer
      return { value: null }
    },
    run(task: BlobTask) {
      const value = answer(task)
      return { value, transfer: Array.isArray(value) ? value.map(({ buffer }) => buffer) : [] }
    },
  },
  faultCodec,
)
