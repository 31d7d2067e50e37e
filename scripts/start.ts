/**
 * `npm start`: with arguments the `skyscript` command itself, without any the demo, from its map to a verified dataset.
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
  const shown = relative(process.cwd(), folder)
  process.stderr.write(`The demo: skyscript build ${shown}/region.yaml, then skyscript verify ${shown}/out\n`)
  const built = await runCli(['build', join(folder, 'region.yaml')])
  if (built !== 0) return built
  return runCli(['verify', join(folder, 'out')])
}
