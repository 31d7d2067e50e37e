/** Which values of a key make an area of a closed way: all, only these (whitelist), or all but these (blacklist). */
export interface KeyRule {
  readonly key: string
  readonly polygon: 'all' | 'whitelist' | 'blacklist'
  readonly values?: readonly string[]
}

const all = (key: string): KeyRule => ({ key, polygon: 'all' })
const only = (key: string, ...values: string[]): KeyRule => ({ key, polygon: 'whitelist', values })
const except = (key: string, ...values: string[]): KeyRule => ({ key, polygon: 'blacklist', values })

/** Prefixes after which the outline is still that of what the rest of the key says. */
export const LIFECYCLES: ReadonlySet<string> = new Set(['abandoned', 'construction', 'disused', 'ruins'])

/**
 * Where the list of polygon features (of 2016) has been overtaken by OSM's wiki, its main map style or its main editor,
 * as of 2025. A rule replaces that of the list for the same key. The README says why.
 */
export const CHANGES: readonly KeyRule[] = [
  // Lines, closed or not.
  only('barrier'),
  except('golf', 'cartpath', 'hole', 'path'),
  except('historic', 'aqueduct', 'citywalls', 'railway', 'road'),
  except('leisure', 'slipway', 'track'),
  except('man_made', 'cutline', 'dyke', 'embankment', 'pipeline'),
  except('military', 'trench'),
  except(
    'natural',
    'arete',
    'cliff',
    'coastline',
    'couloir',
    'crevasse',
    'earth_bank',
    'gully',
    'ridge',
    'tree_row',
    'valley',
  ),
  // Says that something is a ruin or a sight, not what.
  except('ruins', 'yes'),
  except('tourism', 'yes'),
  // More values that have an outline.
  only('power', 'compensator', 'converter', 'generator', 'plant', 'substation', 'switchgear', 'transformer'),
  only(
    'railway',
    'engine_shed',
    'facility',
    'platform',
    'roundhouse',
    'signal_box',
    'station',
    'traverser',
    'turntable',
    'wash',
    'workshop',
    'yard',
  ),
  only('waterway', 'boatyard', 'dam', 'dock', 'fuel', 'riverbank'),
  // Keys that the list lacks.
  only('aerialway', 'station'),
  all('area:aeroway'),
  only(
    'attraction',
    'amusement_ride',
    'animal',
    'bumper_car',
    'carousel',
    'drop_tower',
    'kiddie_ride',
    'maze',
    'pirate_ship',
    'swing_carousel',
  ),
  all('bridge:support'),
  all('club'),
  // `emergency=yes` and the like say who may drive there.
  except('emergency', 'designated', 'destination', 'official', 'private', 'yes'),
  all('healthcare'),
  only('junction', 'yes'),
  all('landcover'),
  only('piste:type', 'playground', 'snow_park'),
  except('playground', 'balancebeam', 'rope_traverse', 'zipwire'),
  only('telecom', 'central_office', 'data_center', 'exchange'),
  all('water'),
  all('wetland'),
]
