#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Compiled code that is kept for the next time (in the system's temporary folder) halves the start of each command.
enableCompileCache()
const { endProcess, handleSignals } = await import('./terminal/interrupt.ts')
handleSignals()
const { runCli } = await import('./cli.ts')

endProcess(await runCli(process.argv.slice(2)))
