/** The results of tasks in their order; `ahead` run at a time. */
export async function* inOrder<T>(count: number, ahead: number, task: (i: number) => Promise<T>): AsyncGenerator<T> {
  const running: Promise<T>[] = []
  for (let next = 0; next < count || running.length > 0; ) {
    while (next < count && running.length < ahead) {
      const started = task(next++)
      // Awaited in its turn: until then a failure is no unhandled one.
      started.catch(() => undefined)
      running.push(started)
    }
    yield await running.shift()!
  }
}
