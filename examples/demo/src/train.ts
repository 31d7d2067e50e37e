/**
 * Trains the demo's tiny model and writes examples/demo/model. Without folders it first makes the training towns, each
 * a real `skyscript build` (some minutes); do so whenever the local Earth Engine draws differently.
 *
 * @example
 * node examples/demo/src/train.ts
 * node examples/demo/src/train.ts --out /tmp/model --held-out examples/demo/out dataset-folder another-folder
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { Tokenizer } from '@huggingface/tokenizers'
import { describePictures } from './model/features.ts'
import { judge } from './model/judge.ts'
import { type Caption, type Example, learn } from './model/learn.ts'
import { type TrainedModel, writeModelFolder } from './model/model-folder.ts'
import { classOf, loadPicture, type Pair, readPairs, turned } from './model/pictures.ts'
import { makeTokenizer } from './model/tokenizer.ts'
import { buildTrainingTowns } from './model/training-towns.ts'
import { learnWords, WORD_KINDS, type WordSet } from './model/visual-words.ts'
import { Dice } from './town/dice.ts'

const SEED = 51
const HIDDEN = 128
const OUTPUTS = 48
const MERGES = 700
const STEPS = 1500
const BATCH = 128
/** Pictures that visual words are learned from. */
const WORD_PICTURES = 1200
/** Ways that each picture is turned and mirrored for training: itself and two more. */
const TURNS = 3

const say = (text: string) => process.stderr.write(`${text}\n`)

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { out: { type: 'string' }, 'held-out': { type: 'string' }, work: { type: 'string' } },
})
const out = values.out ?? fileURLToPath(new URL('../model', import.meta.url))
const folders =
  positionals.length > 0
    ? positionals
    : await buildTrainingTowns(values.work ?? join(tmpdir(), 'skyscript-training-towns'))

const model = await train(folders.flatMap(readPairs), new Dice(SEED, 'training'))
writeModelFolder(out, model)
say(`Wrote ${out}.`)
if (values['held-out']) {
  const pairs = readPairs(values['held-out'])
  const { right, compared, worst } = await judge(out, pairs)
  say(`${pairs.length} held-out pairs: the right caption wins in ${((100 * right) / compared).toFixed(1)} % of cases.`)
  for (const { className, share, count } of worst.slice(0, 15))
    say(`  ${(100 * share).toFixed(0)} % ${className} (${count})`)
}

async function train(pairs: readonly Pair[], dice: Dice): Promise<TrainedModel> {
  if (pairs.length < 100) throw new Error(`${pairs.length} pairs are too few to train on.`)
  const titles = [...new Set(pairs.map(({ title }) => title))].sort()
  say(`${pairs.length} pairs, ${titles.length} captions, ${new Set(titles.map(classOf)).size} classes.`)
  const words = await learnAllWords(pairs, dice.of('words'))
  const tokenizer = makeTokenizer(titles, MERGES)
  const captions = captionsOf(titles, tokenizer.json)
  say(`${WORD_KINDS.length} kinds of visual words, ${tokenizer.size} tokens. Describing the pictures.`)
  const turns = dice.of('turns')
  const plan = pairs.flatMap((pair) =>
    turns
      .shuffle([1, 2, 3, 4, 5, 6, 7])
      .slice(1, TURNS)
      .concat(0)
      .map((way) => ({ pair, way })),
  )
  const described = await describePictures(words, turnedPictures(plan))
  const index = new Map(titles.map((title, at) => [title, at]))
  const examples = plan.map(({ pair }, at): Example => ({ features: described[at]!, caption: index.get(pair.title)! }))
  const settings = { hidden: HIDDEN, outputs: OUTPUTS, tokens: tokenizer.size, steps: STEPS, batch: BATCH }
  const learned = learn(examples, captions, settings, dice.of('learning'), (step, loss) =>
    say(`step ${step} of ${STEPS}: loss ${loss.toFixed(3)}`),
  )
  return { words, ...learned, tokenizer: tokenizer.json }
}

async function learnAllWords(pairs: readonly Pair[], dice: Dice): Promise<WordSet[]> {
  const chosen = dice.shuffle(pairs).slice(0, WORD_PICTURES)
  const pictures: Float32Array[] = []
  for (const { path } of chosen) pictures.push(await loadPicture(path))
  return WORD_KINDS.map((kind) => learnWords(kind, pictures, dice.of(kind.name)))
}

async function* turnedPictures(plan: readonly { pair: Pair; way: number }[]): AsyncGenerator<Float32Array> {
  let [path, picture]: [string, Float32Array] = ['', new Float32Array(0)]
  for (const { pair, way } of plan) {
    if (pair.path !== path) [path, picture] = [pair.path, await loadPicture(pair.path)]
    yield turned(picture, way)
  }
}

function captionsOf(titles: readonly string[], tokenizerJson: string): Caption[] {
  const tokenizer = new Tokenizer(JSON.parse(tokenizerJson), {})
  return titles.map((title) => ({
    tokens: tokenizer.encode(title, { add_special_tokens: false }).ids.slice(0, 75),
    className: classOf(title),
  }))
}
