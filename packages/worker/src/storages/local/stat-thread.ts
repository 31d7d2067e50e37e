import { statSync } from 'node:fs'
// Not all of core: a thread starts in a third of the time.
import { serveThread } from '@skyscript/core/threads'
import { stampsOf } from './stamps.ts'
import type { StatQuestion } from './stat-threads.ts'

serveThread({
  stat({ folder, names }: StatQuestion) {
    const found = names.split('/').map((name) => statSync(`${folder}/${name}`, { throwIfNoEntry: false }))
    const value = stampsOf(found)
    return { value, transfer: [value.buffer as ArrayBuffer] }
  },
})
