#!/usr/bin/env node
/**
 * Starts the `skyscript` command with a Node that can run it. Plain JavaScript, because an older Node fails on TypeScript
 * with a stack trace before any code of ours runs.
 */
const { existsSync } = require('node:fs')
const { enableCompileCache } = require('node:module')
const { join } = require('node:path')

/** The first version that has all that the code uses, such as Float16Array. */
const OLDEST = 24

const version = process.versions.node
const main = join(__dirname, '..', 'src', 'main.ts')
/** Installed with the other packages. */
const installed = join(__dirname, '..', '..', '..', 'node_modules', '.bin', 'node')

if (Number(version.split('.')[0]) >= OLDEST) {
  // Before the first file of TypeScript is read: loading what strips its types takes a third of a short command's time.
  enableCompileCache()
  import(main)
} else if (existsSync(installed)) runWith(installed)
else {
  process.stderr.write(
    `skyscript needs Node ${OLDEST} or newer, and this is Node ${version}; install it, or run \`npm start\` in the repository, which brings its own.\n`,
  )
  process.exitCode = 1
}

function runWith(node) {
  const { spawn } = require('node:child_process')
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  // Ctrl-C reaches the command by itself, which says when it is done; other signals are passed on.
  process.on('SIGINT', () => {})
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code)
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
}
