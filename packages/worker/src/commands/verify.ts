import { renderVerifyResult, verifyDataset } from '@skyscript/dataset/verify'
import { openDataset } from '../storages/storages.ts'
import { openTerminal } from './region.ts'

/** `skyscript verify`: 0 where the dataset is whole and consistent, else 1 with every fault. */
export async function verifyCommand(output: string, options: { json?: boolean }): Promise<number> {
  const terminal = openTerminal()
  const storage = await openDataset(output)
  const progress = terminal.stage('verify', 'pairs')
  const result = await verifyDataset(storage, { progress })
  progress.end()
  process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : renderVerifyResult(result))
  return result.ok ? 0 : 1
}
