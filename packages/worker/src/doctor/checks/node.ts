import { InputError } from '@skyscript/core'
import { type Check, finding } from '../check.ts'

/** The first version that has all that the code uses, such as Float16Array. */
const OLDEST = 24

export const node: Check = {
  name: 'node',
  run: async () => [
    await finding('node', async () => {
      const { node: version } = process.versions
      if (Number(version.split('.')[0]) >= OLDEST) return `Node ${version}`
      throw new InputError(
        'old-node',
        `Node ${version} is older than ${OLDEST}; start with \`npm start\`, which uses the Node that npm installed.`,
      )
    }),
  ],
}
