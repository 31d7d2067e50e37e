import { enableCompileCache } from 'node:module'
import { parentPort, workerData } from 'node:worker_threads'

enableCompileCache()
const { serveBlobTasks } = await import('./blob-tasks.ts')
serveBlobTasks(parentPort!, workerData.path, workerData.lookedFor)
