import { statSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { stampsOf } from './stamps.ts'
import type { StatAnswer, StatQuestion } from './stat-threads.ts'

parentPort!.on('message', ({ folder, names }: StatQuestion) => {
  const answer = answerOf(folder, names.split('/'))
  parentPort!.postMessage(answer, answer.type === 'done' ? [answer.value.buffer as ArrayBuffer] : [])
})

function answerOf(folder: string, names: readonly string[]): StatAnswer {
  try {
    return {
      type: 'done',
      value: stampsOf(names.map((name) => statSync(`${folder}/${name}`, { throwIfNoEntry: false }))),
    }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    return { type: 'failed', message, code }
  }
}
