/** Names that Windows keeps for devices, with any extension. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i
/** Characters that a file system or a storage refuses; `~` may mean a home folder. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const REFUSED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029<>:"/\\|?*~]|[\u{10000}-\u{10ffff}]|\p{Cs}/gu
/** Most file systems allow 255 bytes. */
const MAX_BYTES = 200

/**
 * A folder name for each class: the class name itself where every file system can hold it. Else what is refused becomes `_`; a
 * number makes names different that would be the same, also where case is ignored.
 */
export function classFolders(classes: readonly string[]): string[] {
  const used = new Set<string>()
  return classes.map((name) => {
    const wanted = folderName(name)
    let folder = wanted
    for (let n = 2; used.has(folder.toLowerCase()); n++) folder = `${wanted}_${n}`
    used.add(folder.toLowerCase())
    return folder
  })
}

function folderName(name: string): string {
  let folder = name.normalize('NFC').replace(REFUSED, '_').trim()
  // A dot at the beginning hides a folder, and Windows drops one at the end.
  folder = folder.replace(/^\.+/, (dots) => '_'.repeat(dots.length)).replace(/[. ]+$/, (end) => '_'.repeat(end.length))
  if (folder === '' || DEVICES.test(folder)) folder = `${folder}_`
  while (Buffer.byteLength(folder) > MAX_BYTES) folder = folder.slice(0, -1).toWellFormed()
  return folder
}

/** As Python sorts texts, and so torchvision its folders: by code points. */
export function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
