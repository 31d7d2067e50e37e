import { renderChecks, runDoctor } from '../doctor/doctor.ts'
import { readRegion } from './region.ts'

/** `skyscript doctor`: 0 where nothing needed is missing, else 1. */
export async function doctorCommand(file: string | undefined, options: { json?: boolean }): Promise<number> {
  const config = file === undefined ? undefined : await readRegion(file)
  const checks = await runDoctor({ ...(config && { config }), env: process.env })
  process.stdout.write(options.json ? `${JSON.stringify(checks)}\n` : renderChecks(checks))
  return checks.some((check) => check.status === 'fail') ? 1 : 0
}
