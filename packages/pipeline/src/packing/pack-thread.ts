import { enableCompileCache } from 'node:module'
import { parentPort } from 'node:worker_threads'

enableCompileCache()
const { servePacking } = await import('./serve-packing.ts')
servePacking(parentPort!)
