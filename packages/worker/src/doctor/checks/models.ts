import { formatBytes } from '@skyscript/core'
import { modelOptions } from '@skyscript/pipeline/files'
import { type Check, finding } from '../check.ts'

/** Whether each scorer can be opened, as builds open them: model files, device, and the server that runs the model. */
export const models: Check = {
  name: 'model',
  // A large model is read from disk and opened.
  seconds: 180,
  async run({ config }) {
    if (config === null) return []
    const { checkScorer } = await import('@skyscript/filter')
    const found = []
    // One after the other: two large models may not fit into memory beside each other.
    for (const scorer of config.filter.scorers)
      found.push(
        await finding(`model:${scorer.name}`, async () => {
          const { model, device, server } = scorer
          const bytes = await checkScorer({ ...scorer, ...modelOptions(model, {}) })
          if (bytes > 0) return `${model}: a build downloads ${formatBytes(bytes)} from the hub first`
          return server === null
            ? `${model} runs on ${device}`
            : `the model server ${new URL(server.url).host} has ${model}`
        }),
      )
    return found
  },
}
