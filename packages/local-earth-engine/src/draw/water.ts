import type { Ink, Shader, View } from './canvas.ts'
import { fraction } from './hash.ts'
import { grain, mottle } from './noise.ts'
import { paletteNamed } from './styles/colours.ts'

const WATERS = paletteNamed('waters')

/** Whether a look is that of water. */
export const isWater = (look: string): boolean => WATERS.has(look)

/** Water: dark, a little uneven, with ripples and glitter at fine resolution; almost black in the infrared. */
export function waterShader(look: string, seed: number, { light, gsd }: View): Shader {
  const [red, green, blue] = WATERS.get(look)!
  const isClear = look === 'pool' || look === 'fountain'
  const change = (fraction(seed, 1) - 0.5) * (isClear ? 14 : 16)
  const turbid = isClear ? 0 : (fraction(seed, 2) - 0.5) * 14
  const ripples = gsd < 2 ? Math.min(1, 0.5 / gsd) : 0
  const waveAt = (x: number, y: number) =>
    ripples * (5 * mottle(x + y * 0.4, y * 2.2, 1 / 6) + (isClear ? 12 * mottle(x, y, 1 / 1.6) : 0))
  return (ink, x, y, column, row) => {
    const wave = ripples === 0 ? 0 : waveAt(x, y)
    const noise = change + 5 * mottle(x, y, 1 / 220) + wave + 1.4 * grain(column, row)
    ink[0] = red + turbid + noise
    ink[1] = green + turbid * 0.6 + noise
    ink[2] = blue + noise
    ink[3] = 16 + noise * 0.4
    if (look === 'fountain' && grain(column, row) > 0.35) for (let i = 0; i < 3; i++) ink[i]! += 46
    if (light.snow > 0.4 && !isClear) freeze(ink, light.snow)
  }
}

/** Still water is under ice and snow in hard winters. */
function freeze(ink: Ink, snow: number): void {
  const part = (snow - 0.4) * 1.6
  for (let i = 0; i < 3; i++) ink[i]! += (216 - ink[i]!) * part
  ink[3]! += (170 - ink[3]!) * part
}
