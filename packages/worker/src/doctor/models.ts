import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { type Config, type Device, messageOf } from '@skyscript/core'
import { httpFetch, reasonOf } from '@skyscript/http'
import type { Finding } from './doctor.ts'

/** What a CLIP folder in the hub's layout must hold, and what of it is enough where a server runs the model. */
const LOCAL_FILES = ['tokenizer.json', 'preprocessor_config.json']
const MODEL_FILES = ['onnx/vision_model.onnx', 'onnx/text_model.onnx', ...LOCAL_FILES]

/**
 * Whether a scorer can score: its model is a folder with all its files, or a hub id that can be downloaded, and the
 * device or the server that runs it is there.
 */
export async function checkModel(
  { model, device, server }: Config['filter']['scorers'][number],
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Finding> {
  const needed = server === null ? MODEL_FILES : LOCAL_FILES
  const files = await (/^[./]/.test(model) ? checkFolder(model, needed) : checkHub(model, env, signal))
  if (files.status === 'fail') return files
  const place = server === null ? await findDevice(device) : await checkServer(server, env, signal)
  return place === null || place.status === 'ok' ? files : place
}

async function findDevice(device: Device): Promise<Finding | null> {
  try {
    const { checkDevice } = await import('@skyscript/filter')
    checkDevice(device)
    return null
  } catch (error) {
    return { status: 'fail', detail: messageOf(error), fix: 'Or set device: cpu, or score on a machine that has it.' }
  }
}

/** Asks as the Open Inference Protocol has it: is the server ready, and each model. */
async function checkServer(
  { url, vision, text }: NonNullable<Config['filter']['scorers'][number]['server']>,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Finding> {
  const { host, origin, pathname } = new URL(url)
  const { modelLogin } = await import('@skyscript/filter')
  const headers = modelLogin(url, env)
  const fix = 'Start the model server with both halves of the CLIP, and check filter.scorers[].server.'
  for (const path of ['/v2/health/ready', `/v2/models/${vision}`, `/v2/models/${text}`]) {
    try {
      const { ok, status } = await httpFetch(origin + pathname.replace(/\/+$/, '') + path, { signal, headers })
      if (!ok) return { status: 'fail', detail: `the model server ${host} answers HTTP ${status} to ${path}`, fix }
    } catch (error) {
      return { status: 'fail', detail: `the model server ${host} does not answer (${reasonOf(error)})`, fix }
    }
  }
  return { status: 'ok', detail: `the model server ${host} has both models` }
}

async function checkFolder(folder: string, needed: readonly string[]): Promise<Finding> {
  const there = await Promise.all(
    needed.map((file) =>
      access(join(folder, file)).then(
        () => true,
        () => false,
      ),
    ),
  )
  const missing = needed.filter((_, i) => !there[i])
  if (missing.length === 0) return { status: 'ok', detail: `${folder} is complete` }
  return {
    status: 'fail',
    detail: `${folder} lacks ${missing.join(', ')}`,
    fix: "Point filter.scorers[].model at a CLIP folder in the hub's layout, such as a copy of Xenova/clip-vit-base-patch32.",
  }
}

/** The hub that transformers.js, Python's huggingface_hub and our scorer read from; HF_ENDPOINT names a mirror. */
const HUB = 'https://huggingface.co'

async function checkHub(
  model: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Finding> {
  const [id = '', revision = 'main'] = model.split('@')
  const url = `${env.HF_ENDPOINT ?? HUB}/${id}/resolve/${revision}/tokenizer.json`
  const fix =
    'Copy the model to a folder on a machine that reaches the hub, and name the folder in filter.scorers[].model.'
  try {
    const response = await httpFetch(url, { method: 'HEAD', signal })
    if (response.ok) return { status: 'ok', detail: `${model} can be had from the hub` }
    return { status: 'fail', detail: `the hub has no ${model} with a tokenizer.json (HTTP ${response.status})`, fix }
  } catch (error) {
    // A model that was downloaded before is used without asking the hub, so this alone stops no build.
    const detail = `the hub can't be reached for ${model}, so it must have been downloaded before: ${reasonOf(error)}`
    return { status: 'warn', detail, fix }
  }
}
