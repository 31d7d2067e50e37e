import { defineCommand, jsonOption, optionalArgument } from '../command.ts'
import { EXIT } from '../exit-codes.ts'

export const doctor = defineCommand({
  name: 'doctor',
  description: 'check what this machine, or a build of a region, needs, and say how to get what is missing',
  arguments: { region: optionalArgument('[region.yaml]', 'check everything that a build of this region needs') },
  options: { json: jsonOption },
  async run({ region, json }) {
    const { renderChecks, runDoctor } = await import('../doctor/doctor.ts')
    const { readRegion } = await import('../region.ts')
    const config = region === undefined ? null : await readRegion(region)
    const checks = await runDoctor(config)
    process.stdout.write(json ? `${JSON.stringify(checks)}\n` : renderChecks(checks))
    return checks.some((check) => check.status === 'fail') ? EXIT.failed : EXIT.whole
  },
})
