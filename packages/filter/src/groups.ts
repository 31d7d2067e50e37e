/** Groups with a maximum size: pairs of one tag, and pairs of one title. */
export interface Groups {
  /** Group of each row, or -1. */
  readonly of: Int32Array
  readonly count: number
}

/** Collects the tags of the pairs' focus objects. Memory: 4 bytes per tag of each pair, plus the distinct tags. */
export interface TagGroups {
  /** @param tags of the next row, as JSON */
  add(tags: string): void
  /**
   * The groups with their tags, `key=value`. A pair belongs to the rarest of its tags, the one that the fewest pairs have; ties go to the first tag in code point
   * order. So a church counts for `amenity=place_of_worship`, and `building=yes` keeps the buildings that have no more
   * specific tag.
   */
  end(): Groups & { readonly names: readonly string[] }
}

export function createTagGroups(size: number): TagGroups {
  const codes = new Map<string, number>()
  const names: string[] = []
  const counts: number[] = []
  const ends = new Uint32Array(size)
  let tags = new Int32Array(1 << 16)
  let used = 0
  let row = 0
  return {
    add(json) {
      for (const [key, value] of Object.entries(JSON.parse(json) as Record<string, string>)) {
        const name = `${key}=${value}`
        let code = codes.get(name)
        if (code === undefined) {
          code = names.push(name) - 1
          counts.push(0)
          codes.set(name, code)
        }
        counts[code]!++
        if (used === tags.length) {
          const more = new Int32Array(2 * used)
          more.set(tags)
          tags = more
        }
        tags[used++] = code
      }
      ends[row++] = used
    },
    end() {
      const of = new Int32Array(row)
      for (let each = 0, from = 0; each < row; from = ends[each]!, each++) {
        let rarest = -1
        for (let i = from; i < ends[each]!; i++) {
          const tag = tags[i]!
          if (
            rarest < 0 ||
            counts[tag]! < counts[rarest]! ||
            (counts[tag] === counts[rarest] && names[tag]! < names[rarest]!)
          )
            rarest = tag
        }
        of[each] = rarest
      }
      return { of, count: names.length, names }
    },
  }
}

export interface TextGroups {
  /** @param hash of the next row's text, by `hashOf` */
  add(hash: number): void
  end(): Groups
}

/**
 * Groups equal texts by 53 bits of hash, so that memory doesn't depend on their length. The chance that any two of five
 * million different titles collide is 1 in 600.
 */
export function createTextGroups(size: number): TextGroups {
  const groups = new Map<number, number>()
  const of = new Int32Array(size)
  let row = 0
  return {
    add(hash) {
      let group = groups.get(hash)
      if (group === undefined) {
        group = groups.size
        groups.set(hash, group)
      }
      of[row++] = group
    },
    end: () => ({ of: of.subarray(0, row), count: groups.size }),
  }
}

/** Two 32-bit multiplicative hashes, each with MurmurHash3's final mix, as one integer below 2^53. */
export function hashOf(text: string): number {
  let a = 0x9e3779b9
  let b = 0x85ebca6b
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0xcc9e2d51) + ((b >>> 15) ^ unit)
  }
  return (mixed(a ^ text.length) & 0x1fffff) * 2 ** 32 + mixed(b)
}

function mixed(value: number): number {
  let x = value ^ (value >>> 16)
  x = Math.imul(x, 0x85ebca6b)
  x ^= x >>> 13
  x = Math.imul(x, 0xc2b2ae35)
  return (x ^ (x >>> 16)) >>> 0
}
