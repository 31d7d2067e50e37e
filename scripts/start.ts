/**
 * `npm start`: with arguments the `skyscript` command itself, without any the demo, from its map to a verified dataset and what
 * its model scores on its benchmark sets.
 */
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runCli } from '../packages/worker/src/cli.ts'
import { endProcess, handleSignals } from '../packages/worker/src/terminal/interrupt.ts'

const args = process.argv.slice(2)
handleSignals()
endProcess(args.length > 0 ? await runCli(args) : await demo())

async function demo(): Promise<number> {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '..', 'examples', 'demo')
  const at = (name: string) => join(folder, name)
  const steps = [
    ['build', at('region.yaml')],
    ['verify', at('out')],
    ['evaluate', '--model', at('model'), '--benchmarks', at('out')],
  ]
  const shown = (word: string) => (word.startsWith(folder) ? relative(process.cwd(), word) : word)
  const commands = steps.map((words) => `skyscript ${words.map(shown).join(' ')}`)
  process.stderr.write(`The demo: ${commands.join(', then ')}\n`)
  for (const words of steps) {
    const code = await runCli(words)
    if (code !== 0) return code
  }
  return 0
}
