#!/usr/bin/env node
import { enableCompileCache } from 'node:module'

// Compiled code that is kept for the next time (in the system's temporary folder) halves the start of each command.
enableCompileCache()
const { runCli } = await import('./cli.ts')

process.exitCode = await runCli(process.argv.slice(2))
