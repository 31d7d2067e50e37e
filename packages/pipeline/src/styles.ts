import { parseStyle, STYLES, type Style, shippedStyle } from '@skyscript/captioner'
import { InputError } from '@skyscript/core'
import { readTextFile } from './text-file.ts'

/**
 * The styles of captions that a setting names.
 *
 * @param names shipped styles by name, or files, which start with `.` or `/`
 * @throws InputError `missing-file`, `unknown-style` or `bad-style`
 */
export async function readStyles(names: readonly string[], setting: string): Promise<Style[]> {
  const styles: Style[] = []
  for (const name of names) {
    const shipped = STYLES.find((each) => each === name)
    if (shipped !== undefined) styles.push(shippedStyle(shipped))
    else if (/^[./]/.test(name)) styles.push(parseStyle(await readTextFile(name, setting), name))
    else {
      const message = `${setting}: "${name}" is no style; give ${STYLES.join(', ')} or the path of a file, with ./ in front.`
      throw new InputError('unknown-style', message)
    }
  }
  return styles
}
