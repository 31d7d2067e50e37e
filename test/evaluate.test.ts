// @module-tag slow
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeFolder } from './support/skyscript.ts'
import { skyscriptHere } from './support/skyscript-here.ts'
import { MODEL } from './support/town.ts'

const CLASSES = ['natural water', 'road of residential', 'landuse of grass', 'roof shape of flat', 'beach', 'building']
const IMAGES = 12

let folder: Awaited<ReturnType<typeof makeFolder>>
const at = (...names: string[]) => join(folder.path, ...names)
const evaluate = (...args: string[]) => skyscriptHere(['evaluate', '--model', MODEL, ...args])

const path = (i: number) => `set/images/${i}.png`
const label = (i: number) => CLASSES[(i * 5) % CLASSES.length]!
/** An image may have two captions, and images share captions. */
const captionsOf = (i: number) => [`${label(i)} ${i % 4}`, `a satellite image of ${label(i + 1)}`].slice(0, 1 + (i % 2))

beforeAll(async () => {
  folder = await makeFolder('evaluate')
  process.env.SKYSCRIPT_CACHE = at('cache')
  await mkdir(at('set', 'images'), { recursive: true })
  for (let i = 0; i < IMAGES; i++) {
    const background = { r: (i * 83) % 256, g: (i * 41) % 256, b: (i * 149) % 256 }
    const picture = sharp({ create: { width: 40 + i, height: 60 - i, channels: 3, background } })
    const stripe = await sharp({ create: { width: 3 + i, height: 9, channels: 3, background: 'white' } })
      .png()
      .toBuffer()
    await picture.composite([{ input: stripe, left: i, top: 5 }]).toFile(at(path(i)))
  }
  const labels = Array.from({ length: IMAGES }, (_, i) => `${path(i)},${label(i)}\n`)
  await writeFile(at('set', 'labels.csv'), `filepath,label\n${labels.join('')}`)
  await writeFile(at('set', 'shuffled.csv'), `filepath,label\n${labels.toReversed().join('')}`)
  const captions = labels.flatMap((_, i) => captionsOf(i).map((caption) => `${path(i)},${caption}\n`))
  await writeFile(at('set', 'captions.csv'), `filepath,title\n${captions.join('')}`)
  await writeFile(at('classes.txt'), CLASSES.map((name) => `${name}\n`).join(''))
  await writeFile(at('permuted.txt'), CLASSES.toReversed().join('\n'))
  await writeFile(at('prompts.txt'), 'an image of {c} from above\n')
})
afterAll(() => folder?.remove())

/** Cosines by the command `score`, by image and text. */
async function cosines(texts: readonly string[]): Promise<number[][]> {
  const rows = Array.from({ length: IMAGES }, (_, i) => texts.map((text) => `${path(i)},${text}\n`)).flat()
  await writeFile(at('all.csv'), `filepath,title\n${rows.join('')}`)
  const { stdout } = await skyscriptHere(['score', '--model', MODEL, '--images', at('all.csv')])
  const values = stdout.trim().split('\n').slice(1)
  return Array.from({ length: IMAGES }, (_, i) =>
    values.slice(i * texts.length, (i + 1) * texts.length).map((line) => Number(line.split(',').at(-1))),
  )
}

const rankOf = (values: readonly number[], own: readonly number[]) =>
  values.filter((value) => value > Math.max(...own)).length

test('accuracy is that of the cosines of score, and the order of rows and classes does not matter', async () => {
  const ask = (csv: string, classes: string) =>
    evaluate('--classify', at('set', csv), '--classes', at(classes), '--prompts', at('prompts.txt'), ...ROOT())
  const { code, stdout, stderr } = await ask('labels.csv', 'classes.txt')
  expect(code, stderr).toBe(0)
  const result = JSON.parse(stdout)
  const all = await cosines(CLASSES.map((name) => `an image of ${name} from above`))
  const ranks = all.map((values, i) => rankOf(values, [values[CLASSES.indexOf(label(i))]!]))
  const [correct1, correct5] = [1, 5].map((k) => ranks.filter((rank) => rank < k).length)
  expect(Object.keys(result)).toEqual(['n', 'top1', 'top5', 'correct1', 'correct5', 'classes'])
  expect(result).toMatchObject({ n: IMAGES, correct1, correct5, top1: correct1! / IMAGES, top5: correct5! / IMAGES })
  const ofClass = (name: string) => ({
    name,
    n: IMAGES / CLASSES.length,
    correct1: ranks.filter((rank, i) => rank === 0 && label(i) === name).length,
  })
  expect(result.classes).toEqual(CLASSES.map(ofClass))
  const permuted = JSON.parse((await ask('shuffled.csv', 'permuted.txt')).stdout)
  expect({ ...permuted, classes: permuted.classes.toReversed() }).toEqual(result)
})

const ROOT = () => ['--root', folder.path, '--json']

test('recalls are those of the cosines of score, with several captions an image and equal captions taken once', async () => {
  const given = ['--retrieve', at('set', 'captions.csv'), '--caption-column', 'title', ...ROOT()]
  const { code, stdout, stderr } = await evaluate(...given)
  expect(code, stderr).toBe(0)
  const captions = Array.from({ length: IMAGES }, (_, i) => captionsOf(i))
  const texts = [...new Set(captions.flat())]
  const all = await cosines(texts)
  const ofImages = all.map((values, i) =>
    rankOf(
      values,
      captions[i]!.map((text) => values[texts.indexOf(text)]!),
    ),
  )
  const ofTexts = texts.map((text, t) => {
    const values = all.map((row) => row[t]!)
    return rankOf(
      values,
      values.filter((_, i) => captions[i]!.includes(text)),
    )
  })
  const recalls = (ranks: readonly number[]) =>
    Object.fromEntries([1, 5, 10, 100].map((k) => [`R@${k}`, ranks.filter((rank) => rank < k).length / ranks.length]))
  expect(JSON.parse(stdout)).toEqual({
    images: IMAGES,
    texts: texts.length,
    image_to_text: recalls(ofImages),
    text_to_image: recalls(ofTexts),
  })
})

test('--bootstrap adds intervals and --confusion writes a matrix, and both leave the figures as they are', async () => {
  const classify = ['--classify', at('set', 'labels.csv'), '--classes', at('classes.txt'), ...ROOT()]
  const plain = JSON.parse((await evaluate(...classify)).stdout)
  const more = await evaluate(...classify, '--bootstrap', '200', '--confusion', at('confusion.csv'))
  const { intervals, ...same } = JSON.parse(more.stdout)
  expect(same).toEqual(plain)
  for (const name of ['top1', 'top5']) {
    expect(intervals[name][0]).toBeLessThanOrEqual(plain[name])
    expect(intervals[name][1]).toBeGreaterThanOrEqual(plain[name])
  }
  const [header, ...rows] = (await readFile(at('confusion.csv'), 'utf8')).trim().split('\n')
  expect(header).toBe(`class,${CLASSES.join(',')}`)
  const diagonal = rows.map((row, i) => Number(row.split(',')[i + 1]))
  expect(diagonal).toEqual(plain.classes.map(({ correct1 }: { correct1: number }) => correct1))
  const retrieve = ['--retrieve', at('set', 'captions.csv'), '--caption-column', 'title', '--root', folder.path]
  const { stdout } = await evaluate(...retrieve, '--bootstrap', '200')
  expect(stdout.split('\n').filter((line) => line.startsWith('  95 %  '))).toHaveLength(2)
  const refused = await evaluate(...classify, '--confusion', at('none', 'confusion.csv'))
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('there is no such folder')])
  const folderNamed = await evaluate(...classify, '--confusion', at('set'))
  expect([folderNamed.code, folderNamed.stderr]).toEqual([1, expect.stringContaining('set is a folder; name a file.')])
  const needless = await evaluate(...retrieve, '--confusion', at('confusion.csv'))
  expect([needless.code, needless.stderr]).toEqual([1, expect.stringContaining('--confusion has no effect with')])
})

test('texts that are longer than the model reads are counted', async () => {
  const long = `a satellite image of ${'natural water and '.repeat(60)}`
  await writeFile(at('set', 'long.csv'), `filepath,title\n${path(0)},${long}\n${path(1)},short\n${path(2)},${long}\n`)
  const { code, stderr } = await evaluate('--retrieve', at('set', 'long.csv'), '--caption-column', 'title', ...ROOT())
  expect([code, stderr]).toEqual([0, expect.stringContaining('1 text longer than the model reads')])
  await writeFile(at('long.txt'), `an image of {c} from above\n${long} with {c}\n`)
  const classify = ['--classify', at('set', 'labels.csv'), '--classes', at('classes.txt'), ...ROOT()]
  const prompted = await evaluate(...classify, '--prompts', at('long.txt'))
  expect([prompted.code, prompted.stderr]).toEqual([0, expect.stringContaining('6 texts longer than the model reads')])
  const short = await evaluate('--retrieve', at('set', 'captions.csv'), '--caption-column', 'title', ...ROOT())
  expect(short.stderr).not.toContain('longer than')
})

test('--at-least ends with 1 below a figure, after the table', async () => {
  const given = ['--classify', at('set', 'labels.csv'), '--classes', at('classes.txt'), '--root', folder.path]
  const low = await evaluate(...given, '--at-least', 'top5=0.1', '--at-least', 'top1=0.999')
  expect([low.code, low.stdout]).toEqual([1, expect.stringMatching(/^12 images, 6 classes\n\ntop-1 .*\nbuilding +2 /s)])
  expect(low.stderr).toMatch(/top1 is 0\.\d+, below 0.999/)
  expect(low.stderr).not.toContain('top5')
  expect((await evaluate(...given, '--at-least', 'top1=0')).code).toBe(0)
  const unknown = await evaluate(...given, '--at-least', 'top2=0.5')
  expect([unknown.code, unknown.stderr]).toEqual([1, expect.stringContaining('--at-least top2: it must be one of')])
})

test('images that are missing or broken are refused in one sentence with the line, or left out and counted', async () => {
  const csv = at('set', 'faults.csv')
  await writeFile(at('set', 'broken.png'), 'no picture')
  const rows = `${path(0)},beach\nset/none.png,beach\nset/broken.png,beach\n${path(1)},sea\nset/none2.png,beach\n`
  await writeFile(csv, `filepath,label\n${rows}`)
  const given = ['--classify', csv, '--classes', at('classes.txt')]
  const refused = async (...args: string[]) => {
    const { code, stdout, stderr } = await evaluate(...given, ...args)
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr.trim()).not.toContain('\n')
    return stderr
  }
  expect(await refused(...ROOT())).toContain(`${csv}, line 5: the label "sea" is not in the class list`)
  await writeFile(csv, `filepath,label\n${rows.replace(',sea', ',beach')}`)
  expect(await refused()).toContain(`line 2: there is no image ${path(0)} in ${at('set')}, nor 4 images of other lines`)
  expect(await refused()).toContain(`it is there with --root ${folder.path} `)
  expect(await refused(...ROOT())).toContain('line 3: there is no image set/none.png in')
  const skipping = await evaluate(...given, ...ROOT(), '--skip-missing')
  expect(JSON.parse(skipping.stdout)).toMatchObject({ n: 2, skipped: { 'missing-image': 2, 'unreadable-image': 1 } })
  expect(skipping.stderr).toContain('2 rows of')
  await writeFile(csv, 'filepath,label\n')
  expect(await refused(...ROOT())).toContain('has no row that can be evaluated.')
  await writeFile(csv, 'filepath,label\nset/none.png,beach\n,beach\n')
  expect(await refused(...ROOT(), '--skip-missing')).toContain('evaluated (left out: 2 missing-image).')
})

test('every row of an image that cannot be read is counted', async () => {
  const csv = at('set', 'captions-of-broken.csv')
  await writeFile(at('set', 'broken.png'), 'no picture')
  await writeFile(csv, `filepath,title\nset/broken.png,a\n${path(0)},b\nset/broken.png,c\nset/broken.png,d\n`)
  const { code, stdout, stderr } = await evaluate(
    ...['--retrieve', csv, '--caption-column', 'title', '--skip-missing'],
    ...ROOT(),
  )
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ images: 1, texts: 1, skipped: { 'unreadable-image': 3 } })
})

test('one class with a column of 0 and 1 is measured by precision, recall, F1 and average precision', async () => {
  await writeFile(at('one.txt'), 'beach\n')
  const rows = Array.from({ length: IMAGES }, (_, i) => `${path(i)},${i % 3 === 0 ? 1 : 0}\n`)
  await writeFile(at('set', 'binary.csv'), `filepath,binary\n${rows.join('')}`)
  const given = ['--classify', at('set', 'binary.csv'), '--classes', at('one.txt'), '--binary-column', 'binary']
  const result = JSON.parse((await evaluate(...given, ...ROOT())).stdout)
  expect(result).toMatchObject({ n: IMAGES, positives: 4 })
  const { precision, recall } = result
  expect(result.f1).toBeCloseTo((2 * precision * recall) / (precision + recall), 6)
  expect(result.average_precision).toBeGreaterThan(0)
  for (const shown of ['', 'set/none.png,1\n']) {
    await writeFile(at('set', 'unshown.csv'), `filepath,binary\n${path(0)},0\n${path(1)},0\n${shown}`)
    const rest = ['--classes', at('one.txt'), '--binary-column', 'binary', '--skip-missing', ...ROOT()]
    const unshown = await evaluate('--classify', at('set', 'unshown.csv'), ...rest)
    expect([unshown.code, unshown.stdout]).toEqual([1, ''])
    expect(unshown.stderr).toContain('has no usable row with 1 in the column "binary"')
  }
  const refused = await evaluate('--classify', at('set', 'labels.csv'), '--classes', at('one.txt'), ...ROOT())
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('has 1 class, but top-5 accuracy')])
})

test('--probe learns from a CSV of other images, the same way each time', async () => {
  for (let i = 0; i < IMAGES; i++) {
    const background = { r: (i * 83 + 9) % 256, g: (i * 41 + 5) % 256, b: (i * 149) % 256 }
    await sharp({ create: { width: 50, height: 40 + i, channels: 3, background } }).toFile(
      at(`set/images/train${i}.png`),
    )
  }
  const rows = Array.from({ length: IMAGES }, (_, i) => `set/images/train${i}.png,${label(i)}\n`)
  await writeFile(at('set', 'train.csv'), `filepath,label\n${rows.join('')}`)
  const classify = ['--classify', at('set', 'labels.csv'), '--classes', at('classes.txt'), ...ROOT()]
  const probe = ['--probe', '--train-csv', at('set', 'train.csv'), '--shots', '2']
  const { code, stdout, stderr } = await evaluate(...classify, ...probe)
  expect(code, stderr).toBe(0)
  const result = JSON.parse(stdout)
  expect(result).toMatchObject({ n: IMAGES, probe: { shots: 2, images: IMAGES } })
  expect(JSON.parse((await evaluate(...classify, ...probe, '--no-cache')).stdout)).toEqual(result)
  const refused = async (...args: string[]) => {
    const done = await evaluate(...classify, ...args)
    expect([done.code, done.stdout]).toEqual([1, ''])
    return done.stderr
  }
  const same = ['--probe', '--train-csv', at('set', 'labels.csv')]
  expect(await refused(...same)).toMatch(/set\/images\/0\.png of .*labels\.csv is also in/)
  expect(await refused('--probe')).toContain('--probe needs --train-csv')
  expect(await refused('--shots', '4')).toContain('--shots has no effect without --probe')
})

test('--per-query writes the rank of the first right answer to each query, from which the figures follow', async () => {
  const rowsOf = async () => {
    const [header, ...rows] = (await readFile(at('queries.csv'), 'utf8')).trimEnd().split('\n')
    expect(header).toBe('kind,query,label,rank,tied,best1,best2,best3,best4,best5')
    return rows.map((row) => row.split(','))
  }
  const query = ['--per-query', at('queries.csv'), ...ROOT()]
  const classify = ['--classify', at('set', 'labels.csv'), '--classes', at('classes.txt')]
  const { correct1, correct5 } = JSON.parse((await evaluate(...classify, ...query)).stdout)
  const images = await rowsOf()
  expect(images.map((row) => row[1])).toEqual(Array.from({ length: IMAGES }, (_, i) => path(i)))
  expect(images.filter((row) => row[5] === row[2])).toHaveLength(correct1)
  expect([1, 5].map((k) => images.filter((row) => Number(row[3]) <= k).length)).toEqual([correct1, correct5])
  const retrieve = ['--retrieve', at('set', 'captions.csv'), '--caption-column', 'title']
  const result = JSON.parse((await evaluate(...retrieve, ...query)).stdout)
  const all = await rowsOf()
  for (const [kind, direction] of [
    ['image', 'image_to_text'],
    ['text', 'text_to_image'],
  ] as const) {
    const own = all.filter((row) => row[0] === kind)
    for (const k of [1, 5, 10])
      expect(own.filter((row) => Number(row[3]) <= k).length / own.length).toBe(result[direction][`R@${k}`])
  }
  const text = all.find(([kind, , , rank]) => kind === 'text' && rank === '1')!
  const right = Array.from({ length: IMAGES }, (_, i) => i).filter((i) => captionsOf(i).includes(text[1]!))
  expect(right.map(path)).toContain(text[5])
})
