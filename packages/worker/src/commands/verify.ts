import { openStorage } from '../storages/storages.ts'
import { formatCount, printable } from '../terminal/terminal.ts'
import { verifyDataset } from '../verify/verify.ts'
import { openTerminal } from './region.ts'

/** `skyscript verify`: 0 where the dataset is whole and consistent, else 1 with every fault. */
export async function verifyCommand(output: string, options: { json?: boolean }): Promise<number> {
  const terminal = openTerminal()
  const storage = await openStorage(output)
  const progress = terminal.stage('verify', 'pairs')
  const result = await verifyDataset(storage, { progress })
  progress.end()
  if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`)
  else {
    for (const { check, path, message } of result.faults) process.stdout.write(`${printable(`${check}: ${path}: ${message}`)}\n`)
    const checked = Object.entries(result.checked).map(([what, n]) => `${formatCount(n)} ${what}`)
    process.stdout.write(`${result.faults.length === 0 ? 'whole' : 'NOT WHOLE'}: checked ${checked.join(', ')}\n`)
  }
  return result.faults.length === 0 ? 0 : 1
}
