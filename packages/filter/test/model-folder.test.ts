import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { InputError } from '@skyscript/core'
import { openScorer } from '@skyscript/filter'
import { expect, test } from 'vitest'
import { openClipModel } from '../src/clip/clip-model.ts'
import { parsePreprocessing } from '../src/clip/preprocessor-config.ts'
import { createTokenizer } from '../src/clip/tokens.ts'
import { MODEL_FILES, OPTIONAL_MODEL_FILES, readModelFolder } from '../src/model/model-folder.ts'
import { copyOfDemoModel, DEMO_MODEL, numbers, smallModelFiles, temporaryFolder, writeFiles } from './support/models.ts'
import { meanColourModel, tokenSumModel } from './support/onnx.ts'

/** The error of a model, which must be one clear sentence. */
async function inputErrorOf(made: Promise<unknown>): Promise<InputError> {
  const error = await made.then(
    () => new Error('There was no fault.'),
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(InputError)
  const { message } = error as InputError
  expect(message).not.toContain('\n')
  expect(message).toMatch(/\.$/)
  return error as InputError
}

const open = (model: string) => openScorer({ name: 'test', model, cacheFolder: '/nowhere' })

/** Opens a small model with some files replaced. */
async function openWith(changes: Readonly<Record<string, Uint8Array | string>>) {
  return open(await writeFiles(await temporaryFolder(), { ...smallModelFiles(), ...changes }))
}

test('the demo’s model and a tiny model open', async () => {
  for (const opened of [open(DEMO_MODEL), openWith({})]) {
    const model = await opened
    expect(model).toMatchObject({ close: expect.any(Function) })
    await model.close()
  }
})

test.each(MODEL_FILES)('a folder without %s is refused with the name of the file', async (name) => {
  const folder = await copyOfDemoModel()
  await rm(join(folder, name))
  const error = await inputErrorOf(open(folder))
  expect(error.code).toBe('missing-model-file')
  expect(error.message).toContain(`${folder} lacks ${name};`)
})

test('an empty folder, a missing folder and a file are refused with all missing files', async () => {
  const folder = await temporaryFolder()
  const file = join(await writeFiles(folder, { 'a-file': 'x' }), 'a-file')
  for (const model of [folder, join(folder, 'not-there'), file]) {
    const error = await inputErrorOf(open(model))
    expect(error.code).toBe('missing-model-file')
    for (const name of MODEL_FILES) expect(error.message).toContain(name)
  }
})

test('a folder with the name of a file is not that file', async () => {
  const folder = await copyOfDemoModel()
  await rm(join(folder, 'tokenizer.json'))
  await writeFiles(folder, { 'tokenizer.json/inside': 'x' })
  expect((await inputErrorOf(open(folder))).message).toContain('lacks tokenizer.json')
})

const CONFIG = JSON.parse(smallModelFiles()['preprocessor_config.json'] as string) as Record<string, unknown>

test.each<[string, string, string]>([
  ['no JSON', '{"size": 224', 'is not JSON'],
  ['an empty file', '', 'is not JSON'],
  ['a list', '[1]', 'is not a JSON object'],
  ['null', 'null', 'is not a JSON object'],
  ['no size', JSON.stringify({ ...CONFIG, size: undefined }), '"size"'],
  ['a size in words', JSON.stringify({ ...CONFIG, size: 'big' }), '"size"'],
  ['a size of 0', JSON.stringify({ ...CONFIG, size: 0 }), '"size"'],
  ['a size beyond any model', JSON.stringify({ ...CONFIG, size: 1e9 }), '"size"'],
  ['half a size', JSON.stringify({ ...CONFIG, size: { width: 8 } }), '"size.height"'],
  ['a crop of -1', JSON.stringify({ ...CONFIG, crop_size: { height: -1, width: 8 } }), '"crop_size.height"'],
  ['two means', JSON.stringify({ ...CONFIG, image_mean: [0.5, 0.5] }), '"image_mean"'],
  ['means in words', JSON.stringify({ ...CONFIG, image_mean: ['a', 'b', 'c'] }), '"image_mean"'],
  ['a deviation of 0', JSON.stringify({ ...CONFIG, image_std: [0, 1, 1] }), '"image_std"'],
  ['an unknown interpolation', JSON.stringify({ ...CONFIG, resample: 0 }), '"resample"'],
  ['an interpolation by an inherited name', JSON.stringify({ ...CONFIG, resample: 'constructor' }), '"resample"'],
  ['a rescale factor in words', JSON.stringify({ ...CONFIG, rescale_factor: 'x' }), '"rescale_factor"'],
  ['images of any shape', JSON.stringify({ ...CONFIG, do_center_crop: false }), '"do_center_crop"'],
])('preprocessing with %s is refused, naming the field', async (_, text, named) => {
  const error = await inputErrorOf(openWith({ 'preprocessor_config.json': text }))
  expect(error.code).toBe('bad-model')
  expect(error.message).toContain('preprocessor_config.json')
  expect(error.message).toContain(named)
})

test('all forms of size that the hub has used mean the same', () => {
  const read = (size: unknown, crop_size: unknown) =>
    parsePreprocessing(JSON.stringify({ ...CONFIG, size, crop_size }), 'config')
  const plain = read(8, 8)
  expect(read({ shortest_edge: 8 }, { height: 8, width: 8 })).toEqual(plain)
  expect(read({ shortest_edge: 8 }, undefined)).toEqual(plain)
  expect(read({ height: 8, width: 8 }, 8).resize).toEqual({ kind: 'exact', height: 8, width: 8 })
})

const TOKENIZER = JSON.parse(smallModelFiles()['tokenizer.json'] as string) as Record<string, unknown>

test.each<[string, string]>([
  ['no JSON', '{'],
  ['an empty file', ''],
  ['HTML', '<!doctype html><title>Sign in</title>'],
  ['null', 'null'],
  ['a number', '1'],
  ['a list', '[]'],
  ['an empty object', '{}'],
  ['no model', JSON.stringify({ ...TOKENIZER, model: undefined })],
  ['an unknown kind of model', JSON.stringify({ ...TOKENIZER, model: { type: 'Oracle' } })],
  ['no end token', JSON.stringify({ ...TOKENIZER, post_processor: null })],
])('a tokenizer file with %s is refused', (_, text) => {
  expect(() => createTokenizer(text, 'folder/tokenizer.json')).toThrow(InputError)
  expect(() => createTokenizer(text, 'folder/tokenizer.json')).toThrow(
    /^folder\/tokenizer\.json is not a usable tokenizer/,
  )
})

test('a fault of the tokenizer comes out of the thread as one clear error', async () => {
  const error = await inputErrorOf(openWith({ 'tokenizer.json': '{}' }))
  expect(error.code).toBe('bad-model')
  expect(error.message).toContain('tokenizer.json')
})

const weights = numbers(12)
const SMALL = { shape: ['batch', 3, 8, 8], weights } as const
const VISION = 'onnx/vision_model.onnx'
const TEXT = 'onnx/text_model.onnx'
const whole = meanColourModel(SMALL)

test.each<[string, string, Uint8Array | string, string]>([
  ['a text file', VISION, 'version https://git-lfs.github.com/spec/v1', 'is not a usable model'],
  ['an empty file', TEXT, '', ''],
  ['a cut file', VISION, whole.subarray(0, whole.length - 40), 'is not a usable model'],
  ['the other half', VISION, tokenSumModel({ tokens: 12, weights: numbers(48) }), 'input_ids'],
  ['the other half', TEXT, meanColourModel(SMALL), 'pixel_values'],
  ['bytes for pixels', VISION, meanColourModel({ ...SMALL, type: 'int32' }), 'takes int32 for pixel_values'],
  ['another input', TEXT, tokenSumModel({ tokens: 12, weights: numbers(48), extra: 'pixels' }), 'pixels'],
  ['images of another size', VISION, meanColourModel({ ...SMALL, shape: ['batch', 3, 9, 9] }), '9 x 9'],
  ['images of four channels', VISION, meanColourModel({ shape: [1, 4, 8, 8], weights: numbers(16) }), "can't be run"],
])('a model with %s (%s) is refused', async (_, name, content, named) => {
  const folder = await writeFiles(await temporaryFolder(), { ...smallModelFiles(), [name]: content })
  const error = await inputErrorOf(openClipModel({ folder, device: 'cpu', threads: 1, width: 8, height: 8 }))
  expect(error.code).toBe('bad-model')
  expect(error.message).toContain(name)
  expect(error.message).toContain(named)
})

test.each<[string, Record<string, Uint8Array>, string]>([
  ['no single row for an image', { [VISION]: meanColourModel({ ...SMALL, flat: false }) }, 'image_embeds'],
  ['5 numbers for an image', { [VISION]: meanColourModel({ ...SMALL, weights: numbers(15) }) }, '5 numbers per image'],
  ['no numbers at all', { [TEXT]: tokenSumModel({ tokens: 12, weights: new Float32Array(0) }) }, 'text_model.onnx'],
])('a model that returns %s is refused when it is opened', async (_, changes, named) => {
  const folder = await writeFiles(await temporaryFolder(), { ...smallModelFiles(), ...changes })
  const error = await inputErrorOf(openClipModel({ folder, device: 'cpu', threads: 1, width: 8, height: 8 }))
  expect(error.code).toBe('bad-model')
  expect(error.message).toContain(named)
})

test.each(OPTIONAL_MODEL_FILES)('weights in %s identify a model', async (name) => {
  const identityWith = async (weights: string) => {
    const folder = await writeFiles(await temporaryFolder(), { ...smallModelFiles(), [name]: weights })
    return (await readModelFolder(folder, { id: 'model', revision: null }, MODEL_FILES)).identity
  }
  expect(await identityWith('before')).not.toEqual(await identityWith('after'))
})
