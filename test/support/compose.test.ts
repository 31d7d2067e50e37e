import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseConfig } from '@skyscript/core/config'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { startRedis } from './redis.ts'
import { startS3 } from './s3.ts'

const root = join(import.meta.dirname, '../..')
const services = join(root, 'scripts/services')

interface Service {
  readonly [setting: string]: unknown
  readonly image: string
  readonly environment?: Record<string, string>
}
const file = parse(readFileSync(join(root, 'docker-compose.yml'), 'utf8'), { merge: true }) as {
  services: Record<string, Service>
  networks: Record<string, unknown>
}
const all = Object.entries(file.services)

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ code: number; stderr: string }> {
  const child = spawn(process.execPath, args, {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  let stderr = ''
  child.stderr!.on('data', (text) => {
    stderr += text
  })
  const [code] = (await once(child, 'close')) as [number]
  return { code, stderr }
}

describe('docker-compose.yml', () => {
  test.each(all)(
    '%s: read-only root, no capabilities, no published port, no secret of its own, a pinned image',
    (name, service) => {
      expect(service).toMatchObject({ read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] })
      expect(service).not.toHaveProperty('ports')
      expect(service).not.toHaveProperty('privileged')
      if (name !== 's3-volume') expect(service.user ?? 'node').not.toMatch(/^(root|0)\b/)
      expect(service.image).not.toMatch(/:latest$/)
      for (const [key, value] of Object.entries(service.environment ?? {})) {
        if (/PASSWORD|SECRET|ACCESS_KEY/.test(key)) expect(value, key).toMatch(/^\$\{\w+:\?.+\}$/)
      }
    },
  )

  test('workers touch the bucket of this file only', () => {
    expect(file.services.worker!.command).toEqual(['worker', '--output-root', 's3://skyscript'])
    expect(file.services.bucket!.command).toEqual(['skyscript'])
  })

  test('Redis keeps jobs over a restart and throws none away', () => {
    const command = (file.services.redis!.command as string[]).join(' ')
    expect(command).toMatch(/--appendonly yes --appendfsync everysec .*--maxmemory-policy noeviction/)
    expect(file.networks).toMatchObject({ inside: { internal: true } })
  })

  test('what serves has a health check, and what needs it waits for it', () => {
    for (const name of ['redis', 's3', 'worker']) expect(file.services[name]).toHaveProperty('healthcheck')
    expect(file.services.worker!.depends_on).toEqual(file.services.build!.depends_on)
    expect(file.services.build!.profiles).toEqual(['build'])
  })

  test('its demo makes the dataset that the demo makes without services, and its region file holds no password', () => {
    const read = (path: string) => parseConfig(readFileSync(path, 'utf8'), path)
    const own = read(join(services, 'demo.region.yaml'))
    const places = { queue: 'redis://redis:6379', output: 's3://skyscript/demo' }
    expect(own).toEqual({ ...read(join(root, 'examples/demo/region.yaml')), ...places })
  })
})

test('create-bucket makes a bucket once', async () => {
  const s3 = await startS3()
  for (const said of ['Made the bucket other.', 'The bucket other is there.']) {
    expect(await run([join(services, 'create-bucket.ts'), 'other'], s3.env)).toEqual({ code: 0, stderr: `${said}\n` })
  }
  await s3.stop()
})

test('check-services says whether the queue can be used', async () => {
  const redis = await startRedis({ password: 'hunter2' })
  const script = join(services, 'check-services.ts')
  const SKYSCRIPT_QUEUE = `redis://127.0.0.1:${redis.port}`
  expect(await run([script], { SKYSCRIPT_QUEUE, SKYSCRIPT_REDIS_PASSWORD: 'hunter2' })).toEqual({ code: 0, stderr: '' })
  const refused = await run([script], { SKYSCRIPT_QUEUE, SKYSCRIPT_REDIS_PASSWORD: 'hunter3' })
  expect(refused).toMatchObject({ code: 1, stderr: expect.stringMatching(/refuses the login/) })
  expect(refused.stderr).not.toContain('hunter3')
  await redis.stop()
})
