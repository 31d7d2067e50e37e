import { argument, defineCommand, jsonOption } from '../command.ts'
import { EXIT } from '../exit-codes.ts'

export const verify = defineCommand({
  name: 'verify',
  description: 'read a dataset back and check every image, meta, caption, score, hash, count and split',
  arguments: { output: argument('<output>', 'folder or s3:// URL of a dataset') },
  options: { json: jsonOption },
  async run({ output, json }) {
    const { renderVerifyResult, verifyDataset } = await import('@skyscript/dataset/verify')
    const { openTerminal } = await import('../terminal/open-terminal.ts')
    const { openDataset } = await import('../storages/storages.ts')
    const { classOfTags } = await import('@skyscript/pipeline/classes')
    const storage = await openDataset(output)
    const progress = openTerminal().stage('verify', 'pairs')
    const result = await verifyDataset(storage, { progress, classOf: classOfTags() })
    progress.end()
    process.stdout.write(json ? `${JSON.stringify(result)}\n` : renderVerifyResult(result))
    return result.ok ? EXIT.whole : EXIT.failed
  },
})
