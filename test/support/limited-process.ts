/** A process that asks a server under the machine's limit. Settings come as JSON in the first argument. */
import { type MachineLimiterOptions, openMachineLimiter } from '../../packages/worker/src/limits/machine-limiter.ts'

const { url, requests, ...options } = JSON.parse(process.argv[2]!) as MachineLimiterOptions & {
  readonly url: string
  readonly requests: number
}
const limiter = await openMachineLimiter(options)
process.stdout.write('ready\n')
await Promise.all(
  Array.from({ length: requests }, async () => {
    const release = await limiter.acquire()
    await (await fetch(url)).text()
    release()
  }),
)
await limiter.close()
