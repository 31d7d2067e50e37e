import { STAGE_NAMES } from '@skyscript/pipeline/stages'
import { defineCommand, listOf, option, positiveInteger, repeatable, required, withDefault } from '../command.ts'

export const worker = defineCommand({
  name: 'worker',
  description: 'do the jobs of builds that use a queue, until stopped',
  arguments: {},
  options: {
    queue: { ...required(option('--queue <url>', 'redis:// or rediss:// URL')), env: 'SKYSCRIPT_QUEUE' },
    stages: withDefault(option('--stages <list>', 'stages to work on', listOf(STAGE_NAMES)), STAGE_NAMES),
    concurrency: option(
      '--concurrency <n>',
      'jobs to run at once, per stage (default: by stage, more for those that wait for the network)',
      positiveInteger,
    ),
    outputRoot: repeatable(
      option(
        '--output-root <prefix>',
        'serve only datasets inside this folder or s3:// prefix; repeatable (default: all)',
      ),
    ),
  },
  async run({ queue, stages, concurrency, outputRoot }) {
    const { serve } = await import('../runs/serve.ts')
    return serve({ queue, stages, concurrency, outputRoots: outputRoot })
  },
})
