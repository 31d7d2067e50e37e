import { DataFault, InputError, ServiceError } from '../../src/errors.ts'
import { serveThread } from '../../src/threads.ts'

/** A thread whose methods throw every kind of error. */
serveThread({
  async input() {
    throw new InputError('bad-model', 'The model is wrong.')
  },
  async passing() {
    throw new ServiceError('hub-away', 'See https://me:secret@hub.example.', { retry: true, status: 503 })
  },
  async final() {
    throw new ServiceError('disk-full', 'There is no space left.', { retry: false })
  },
  async data() {
    throw new DataFault('odd-image', 'The image is odd.')
  },
  async system() {
    throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' })
  },
  async memory() {
    const kept: number[][] = []
    for (;;) kept.push(new Array(1_000_000).fill(kept.length))
  },
})
