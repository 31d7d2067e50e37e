/** Bytes; everything in a tar file is padded to this. */
const BLOCK = 512
/** Maximum name length in bytes without a prefix field. */
const MAX_NAME = 100
/** Two empty blocks end a file. */
export const TAR_END: Uint8Array = new Uint8Array(2 * BLOCK)

const padding = (size: number) => (BLOCK - (size % BLOCK)) % BLOCK

/** Bytes that a file of this size needs in a tar archive. */
export const tarSize = (size: number): number => BLOCK + size + padding(size)

/**
 * One file of a tar archive in the ustar format (POSIX.1-1988): header, content, padding. Owner (uid and gid 0, no names)
 * and time (1970) are fixed, so that equal files give equal bytes.
 *
 * @param name ASCII, 100 characters at most
 * @throws TypeError if the name doesn't fit
 */
export function tarEntry(name: string, content: Uint8Array): Uint8Array[] {
  return [header(name, content.length), content, TAR_END.subarray(0, padding(content.length))]
}

function header(name: string, size: number): Uint8Array {
  if (name.length > MAX_NAME || !/^[\x21-\x7e]+$/.test(name)) throw new TypeError(`"${name}" can't be a name in a tar.`)
  const bytes = Buffer.alloc(BLOCK)
  const octal = (value: number, at: number, length: number) =>
    bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at, 'latin1')
  bytes.write(name, 0, 'latin1')
  octal(0o644, 100, 8)
  octal(0, 108, 8)
  octal(0, 116, 8)
  octal(size, 124, 12)
  octal(0, 136, 12)
  // The checksum is computed with spaces in its own field.
  bytes.fill(' ', 148, 156)
  bytes.write('0', 156, 'latin1')
  bytes.write('ustar\x0000', 257, 'latin1')
  octal(0, 329, 8)
  octal(0, 337, 8)
  let sum = 0
  for (let i = 0; i < BLOCK; i++) sum += bytes[i]!
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
  return bytes
}
