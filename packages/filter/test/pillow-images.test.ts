import { expect, test } from 'vitest'
import { decodeRgb } from '../src/clip/preprocess.ts'
import images from './support/pillow-images.json' with { type: 'json' }

const bytes = (text: string) => Uint8Array.from(Buffer.from(text, 'base64'))

test.each(Object.entries(images))('a %s is decoded to the same RGB as by Pillow', async (_, { file, rgb }) => {
  const { data, width, height } = await decodeRgb(bytes(file))
  expect([width, height]).toEqual([16, 8])
  expect(Buffer.from(data).equals(Buffer.from(rgb, 'base64'))).toBe(true)
})

test('a file that falsely claims to be CMYK or 16-bit grey is refused', async () => {
  const cmyk = bytes(images['CMYK JPEG'].file)
  await expect(decodeRgb(cmyk.subarray(0, 200))).rejects.toThrow(/can't be decoded/)
  const grey = bytes(images['grey PNG of 16 bits'].file)
  await expect(decodeRgb(grey.subarray(0, 60))).rejects.toThrow(/can't be decoded/)
})
