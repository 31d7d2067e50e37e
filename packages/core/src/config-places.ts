import type { Config } from './config-schema.ts'

/**
 * What a text of the settings names: a file or an address, a catalogue's address, a file, or a file if it starts with `.`
 * or `/` and else the name of something shipped or downloaded.
 */
export type PlaceKind = 'address' | 'catalogue' | 'file' | 'file-or-name'

/** `osm.changes` that are fetched from the server that an extract names. */
export const AUTO_CHANGES = 'auto'

export type PlaceChange = (text: string, kind: PlaceKind) => string

type Filter = Config['filter']
type Places = Pick<Config, 'osm' | 'imagery' | 'captions' | 'filter' | 'benchmarks'>

const optional = (text: string | null, kind: PlaceKind, change: PlaceChange) =>
  text === null ? null : change(text, kind)

/** The settings with every text changed that names a file or an address, but for `credentials` and `output`. */
export function mapPlaces<T extends Places>(config: T, change: PlaceChange): T {
  const { osm, imagery, captions, filter, benchmarks } = config
  const { classifier } = captions
  const address = (text: string) => change(text, 'address')
  const addresses = (given: string | string[]) => (typeof given === 'string' ? address(given) : given.map(address))
  return {
    ...config,
    osm: {
      ...osm,
      source: addresses(osm.source),
      clip: typeof osm.clip === 'string' ? change(osm.clip, 'file') : osm.clip,
      ...(osm.changes !== undefined && {
        changes: osm.changes === AUTO_CHANGES ? AUTO_CHANGES : addresses(osm.changes),
      }),
    },
    imagery: {
      ...imagery,
      catalogue: optional(imagery.catalogue, 'address', change),
      cache: { ...imagery.cache, folder: optional(imagery.cache.folder, 'file', change) },
      sources: imagery.sources.map((source) =>
        typeof source === 'string' || source.kind !== 'cog'
          ? source
          : {
              ...source,
              stac: optional(source.stac, 'catalogue', change),
              files: source.files.map(address),
            },
      ),
    },
    captions: {
      ...captions,
      tags: optional(captions.tags, 'file', change),
      rules: optional(captions.rules, 'file', change),
      classifier: classifier && {
        weights: change(classifier.weights, 'file'),
        model: change(classifier.model, 'file-or-name'),
      },
      templates: captions.templates.map((text) => change(text, 'file-or-name')),
    },
    filter: mapFilterPlaces(filter, change),
    ...(benchmarks && {
      benchmarks: {
        ...benchmarks,
        own: benchmarks.own.map((set) => ({ ...set, classes: change(set.classes, 'file') })),
      },
    }),
  }
}

export function mapFilterPlaces(filter: Filter, change: PlaceChange): Filter {
  return {
    ...filter,
    scorers: filter.scorers.map((scorer) => ({ ...scorer, model: change(scorer.model, 'file-or-name') })),
    exclude: optional(filter.exclude, 'file', change),
  }
}

/** Whether a text starts with a scheme, such as `https://` or `s3://`; else it is a path or a name. */
export const isUrl = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\//i.test(text)

/** Whether a text that may be a name is a path. */
export const isPath = (text: string): boolean => /^[./]/.test(text)
