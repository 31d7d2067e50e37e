import { runCli } from '../src/cli.ts'

process.exitCode = await runCli(['cut', process.argv[2]!, '--json'])
process.stderr.write(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MB\n`)
