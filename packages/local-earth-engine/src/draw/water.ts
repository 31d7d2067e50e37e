import { fraction } from '../hash.ts'
import type { Ink, Shader } from './canvas.ts'
import type { Light } from './light.ts'
import { grain, mottle } from './noise.ts'

type Colour = readonly [red: number, green: number, blue: number]

const WATERS: Readonly<Record<string, Colour>> = {
  water: [40, 66, 80],
  river: [62, 82, 82],
  pond: [58, 74, 62],
  sea: [26, 58, 82],
  pool: [84, 182, 204],
  fountain: [120, 184, 196],
  sewage: [88, 78, 62],
  'salt-pond': [196, 182, 182],
}

export const isWater = (look: string): boolean => Object.hasOwn(WATERS, look)

/** Water: dark, a little uneven, with ripples and glitter at fine resolution; almost black in the infrared. */
export function waterShader(look: string, seed: number, light: Light, gsd: number): Shader {
  const [red, green, blue] = WATERS[look] ?? WATERS.water!
  const clear = look === 'pool' || look === 'fountain'
  const change = (fraction(seed, 1) - 0.5) * (clear ? 14 : 16)
  const turbid = clear ? 0 : (fraction(seed, 2) - 0.5) * 14
  const ripples = gsd < 2 ? Math.min(1, 0.5 / gsd) : 0
  return (ink, x, y, column, row) => {
    const wide = 5 * mottle(x, y, 1 / 220)
    const wave =
      ripples === 0 ? 0 : ripples * (5 * mottle(x + y * 0.4, y * 2.2, 1 / 6) + (clear ? 12 * mottle(x, y, 1 / 1.6) : 0))
    const noise = change + wide + wave + 1.4 * grain(column, row)
    ink[0] = red + turbid + noise
    ink[1] = green + turbid * 0.6 + noise
    ink[2] = blue + noise
    ink[3] = 16 + noise * 0.4
    if (look === 'fountain' && grain(column, row) > 0.35) glitter(ink)
    if (light.snow > 0.4 && !clear) freeze(ink, light.snow)
  }
}

function glitter(ink: Ink): void {
  for (let i = 0; i < 3; i++) ink[i]! += 46
}

/** Still water is under ice and snow in hard winters. */
function freeze(ink: Ink, snow: number): void {
  const part = (snow - 0.4) * 1.6
  for (let i = 0; i < 3; i++) ink[i]! += (216 - ink[i]!) * part
  ink[3]! += (170 - ink[3]!) * part
}
