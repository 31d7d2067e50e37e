/** Yields the results of tasks in order; up to `ahead` tasks run at a time. */
export async function* inOrder<T>(count: number, ahead: number, task: (i: number) => Promise<T>): AsyncGenerator<T> {
  const running: Promise<T>[] = []
  for (let next = 0; next < count || running.length > 0; ) {
    while (next < count && running.length < ahead) {
      const started = task(next++)
      // Awaited when its turn comes; until then this keeps a failure from being an unhandled rejection.
      started.catch(() => undefined)
      running.push(started)
    }
    yield await running.shift()!
  }
}
