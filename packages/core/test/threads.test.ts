import { afterEach, expect, test } from 'vitest'
import { DataFault, InputError, ServiceError } from '../src/errors.ts'
import { startThread, type Thread } from '../src/threads.ts'

let thread: Thread | undefined
afterEach(() => thread?.close())
const thrownBy = (method: string) => {
  thread = startThread(new URL('./support/failing-thread.ts', import.meta.url))
  return thread.ask(method, null).then(
    () => null,
    (error: unknown) => error,
  )
}

test('an error of a thread keeps its class, its code and whether it may be retried', async () => {
  expect(await thrownBy('input')).toBeInstanceOf(InputError)
  const passing = await thrownBy('passing')
  expect(passing).toBeInstanceOf(ServiceError)
  expect(passing).toMatchObject({ name: 'ServiceError', code: 'hub-away', retry: true, status: 503 })
  expect((passing as Error).message).toBe('See https://***@hub.example.')
  expect(await thrownBy('final')).toMatchObject({ name: 'ServiceError', code: 'disk-full', retry: false })
  const data = await thrownBy('data')
  expect(data).toBeInstanceOf(DataFault)
  expect(data).toMatchObject({ code: 'odd-image', message: 'The image is odd.' })
  expect(await thrownBy('system')).toMatchObject({
    name: 'Error',
    code: 'EIO',
    stack: expect.stringContaining('failing-thread'),
  })
})

test('a thread that runs out of memory gives a retryable error', async () => {
  thread = startThread(new URL('./support/failing-thread.ts', import.meta.url), {
    resourceLimits: { maxOldGenerationSizeMb: 64 },
  })
  await expect(thread.ask('memory', null)).rejects.toMatchObject({
    name: 'ServiceError',
    code: 'thread-died',
    retry: true,
  })
})

test('what a call without an answer throws, every later call throws', async () => {
  thread = startThread(new URL('./support/failing-thread.ts', import.meta.url))
  thread.tell('data', null)
  await expect(thread.ask('input', null)).rejects.toThrow('The image is odd.')
  await expect(thread.ask('input', null)).rejects.toThrow('The image is odd.')
  expect(thread.hasEnded).toBe(true)
})
