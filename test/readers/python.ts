import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inject } from 'vitest'

const HERE = fileURLToPath(new URL('.', import.meta.url))

/** Which of the environments that `npm run test:readers` makes. */
const ENVIRONMENTS = { plain: 'READERS_PYTHON', torch: 'READERS_TORCH_PYTHON' } as const

/**
 * What a Python program beside this file prints as JSON.
 *
 * @param options.cwd folder to run in; relative image paths of a CSV are those of the dataset's folder
 */
export function python<T>(
  environment: keyof typeof ENVIRONMENTS,
  program: string,
  args: readonly string[],
  options: { readonly cwd?: string } = {},
): T {
  const executable = process.env[ENVIRONMENTS[environment]]
  if (executable === undefined) throw new Error('Run these tests with `npm run test:readers`.')
  const { cache } = inject('datasets')
  const { status, stdout, stderr, error } = spawnSync(executable, ['-B', join(HERE, program), ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    // Readers keep what they unpacked under names that two datasets may share, and none may ask the network.
    env: { ...process.env, HOME: cache, HF_HOME: cache, HF_HUB_OFFLINE: '1', PYTHONWARNINGS: 'ignore' },
  })
  if (error) throw error
  if (status !== 0) throw new Error(`${program} ended with ${status}:\n${stderr}`)
  return JSON.parse(stdout) as T
}
