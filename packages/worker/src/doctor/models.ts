import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf } from '@skyscript/core'
import type { Finding } from './doctor.ts'

/** What a CLIP folder in the hub's layout must hold. */
const MODEL_FILES = ['onnx/vision_model.onnx', 'onnx/text_model.onnx', 'tokenizer.json', 'preprocessor_config.json']

/** Whether a scorer's model is there: a folder with all its files, or a hub id that can be downloaded. */
export async function checkModel(
  model: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<Finding> {
  return /^[./]/.test(model) ? checkFolder(model) : checkHub(model, env, signal)
}

async function checkFolder(folder: string): Promise<Finding> {
  const there = await Promise.all(
    MODEL_FILES.map((file) =>
      access(join(folder, file)).then(
        () => true,
        () => false,
      ),
    ),
  )
  const missing = MODEL_FILES.filter((_, i) => !there[i])
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
    const response = await fetch(url, { method: 'HEAD', signal })
    if (response.ok) return { status: 'ok', detail: `${model} can be had from the hub` }
    return { status: 'fail', detail: `the hub has no ${model} with a tokenizer.json (HTTP ${response.status})`, fix }
  } catch (error) {
    // A model that was downloaded before is used without asking the hub, so this alone stops no build.
    const detail = `the hub can't be reached for ${model}, so it must have been downloaded before: ${messageOf(error)}`
    return { status: 'warn', detail, fix }
  }
}
