/** Where a thread begins: with the code that was compiled for earlier threads, it is ready in 0.15 s instead of 0.4. */
import { enableCompileCache } from 'node:module'
import { workerData } from 'node:worker_threads'

enableCompileCache()
await import(workerData as string)
