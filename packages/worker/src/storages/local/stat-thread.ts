import { statSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { NO_FILE } from './no-file.ts'
import type { StatAnswer, StatQuestion } from './stat-threads.ts'

parentPort!.on('message', ({ folder, names }: StatQuestion) => {
  const answer = answerOf(folder, names.split('/'))
  parentPort!.postMessage(answer, answer.type === 'done' ? [answer.value.buffer as ArrayBuffer] : [])
})

function answerOf(folder: string, names: readonly string[]): StatAnswer {
  const value = new Float64Array(2 * names.length)
  try {
    for (let i = 0; i < names.length; i++) {
      const found = statSync(`${folder}/${names[i]}`, { throwIfNoEntry: false })
      value[2 * i] = found?.isFile() ? found.size : NO_FILE
      value[2 * i + 1] = found?.mtimeMs ?? 0
    }
    return { type: 'done', value }
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException
    return { type: 'failed', message, code }
  }
}
