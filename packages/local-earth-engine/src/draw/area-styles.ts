import type { Tags } from '@skyscript/core'
import { entry, type LayerName } from './style.ts'

interface AreaStyle {
  readonly layer: LayerName
  readonly look: string | ((tags: Tags) => string)
  readonly height?: number
  readonly detail?: (tags: Tags) => string
}

interface KeyStyles {
  readonly key: string
  /** By value; `*` is any other. */
  readonly values: Readonly<Record<string, AreaStyle>>
}

const of = (layer: LayerName, look: AreaStyle['look'], more: Partial<AreaStyle> = {}): AreaStyle => ({
  layer,
  look,
  ...more,
})

/** The same style for several values. */
function each(
  values: readonly string[],
  layer: LayerName,
  look: AreaStyle['look'],
  more: Partial<AreaStyle> = {},
): Record<string, AreaStyle> {
  return Object.fromEntries(values.map((value) => [value, of(layer, look, more)]))
}

function waterLook(tags: Tags): string {
  const kind = tags.water ?? tags.landuse ?? ''
  if (kind === 'wastewater' || tags.basin === 'wastewater') return 'sewage'
  if (['pond', 'fishpond', 'basin', 'oxbow'].includes(kind)) return 'pond'
  if (['river', 'canal', 'stream', 'ditch', 'lock'].includes(kind)) return 'river'
  return 'water'
}

const SPORTS: Readonly<Record<string, string>> = {
  soccer: 'soccer',
  football: 'soccer',
  rugby: 'soccer',
  rugby_union: 'soccer',
  gaelic_games: 'soccer',
  american_football: 'gridiron',
  tennis: 'tennis',
  padel: 'tennis',
  basketball: 'basketball',
  netball: 'basketball',
  futsal: 'basketball',
  handball: 'basketball',
  multi: 'basketball',
  volleyball: 'beach-court',
  beachvolleyball: 'beach-court',
  baseball: 'baseball',
  softball: 'baseball',
  skateboard: 'skate',
  bmx: 'skate',
  athletics: 'athletics',
  running: 'athletics',
  boules: 'gravel',
  equestrian: 'sand-court',
  horse_racing: 'sand-court',
  hockey: 'turf',
  field_hockey: 'turf',
  ice_hockey: 'ice',
  ice_skating: 'ice',
  cricket: 'cricket',
}

const sportLook = (tags: Tags) => entry(SPORTS, tags.sport?.split(';')[0]) ?? 'pitch'

function woodLook(tags: Tags): string {
  const leaves = tags.leaf_type ?? tags.wood
  if (leaves === 'needleleaved' || leaves === 'coniferous') return 'needle-wood'
  if (leaves === 'broadleaved' || leaves === 'deciduous') return 'broad-wood'
  return 'mixed-wood'
}

const farmLook = (tags: Tags) =>
  tags.crop === 'rice' ? 'paddy' : tags.crop === 'hop' || tags.crop === 'grape' ? 'vineyard' : 'farmland'

const orchardLook = (tags: Tags) => (tags.trees === 'olive_trees' ? 'olive-grove' : 'orchard')

function wetlandLook(tags: Tags): string {
  if (tags.wetland === 'tidalflat') return 'mud'
  if (tags.wetland === 'swamp' || tags.wetland === 'mangrove') return 'swamp'
  return 'marsh'
}

/** Keys in the order in which they decide: what stands on the ground, then what the ground is used for. */
export const AREA_STYLES: readonly KeyStyles[] = [
  {
    key: 'man_made',
    values: {
      ...each(
        ['storage_tank', 'gasometer', 'silo', 'water_tower', 'water_tank', 'reservoir_covered'],
        'structure',
        'tank',
        { height: 9 },
      ),
      ...each(['chimney', 'tower', 'lighthouse', 'cooling_tower'], 'structure', 'tower-base', { height: 30 }),
      ...each(['pier', 'jetty', 'quay'], 'surface', 'pier'),
      bridge: of('surface', 'bridge-deck'),
      ...each(['breakwater', 'groyne'], 'surface', 'boulders'),
      ...each(
        ['wastewater_plant', 'water_works', 'works', 'pumping_station', 'petroleum_well', 'gasworks'],
        'ground',
        'industrial-ground',
      ),
      clearcut: of('ground', 'clearing'),
      ...each(['spoil_heap', 'tailings_pond'], 'ground', 'bare-ground'),
      ...each(['bunker_silo', 'dyke', 'embankment'], 'surface', 'bare-ground'),
    },
  },
  {
    key: 'power',
    values: {
      substation: of('ground', 'substation'),
      plant: of('ground', (tags) => (tags['plant:source'] === 'solar' ? 'solar' : 'industrial-ground')),
      generator: of('surface', (tags) => (tags['generator:source'] === 'solar' ? 'solar' : 'concrete')),
      sub_station: of('ground', 'substation'),
    },
  },
  {
    key: 'leisure',
    values: {
      swimming_pool: of('surface', 'pool'),
      pitch: of('surface', sportLook),
      track: of('surface', (tags) =>
        tags.sport === 'running' || tags.sport === 'athletics'
          ? 'athletics'
          : tags.sport === 'horse_racing'
            ? 'sand-court'
            : 'athletics',
      ),
      playground: of('surface', 'playground'),
      ...each(['park', 'dog_park', 'bandstand'], 'ground', 'park'),
      garden: of('ground', 'garden'),
      golf_course: of('ground', 'golf-rough'),
      miniature_golf: of('ground', 'garden'),
      ...each(['sports_centre', 'stadium', 'recreation_ground', 'summer_camp'], 'ground', 'sports-ground'),
      ...each(['common', 'village_green'], 'ground', 'lawn'),
      marina: of('water', 'water'),
      ...each(['ice_rink'], 'surface', 'ice'),
      horse_riding: of('ground', 'sand-court'),
      ...each(['outdoor_seating', 'fitness_station'], 'surface', 'plaza'),
      slipway: of('surface', 'concrete'),
      bleachers: of('structure', 'bleachers', { height: 5 }),
      water_park: of('ground', 'plaza'),
      beach_resort: of('ground', 'sand'),
      schoolyard: of('surface', 'asphalt'),
    },
  },
  {
    key: 'golf',
    values: {
      fairway: of('surface', 'fairway'),
      green: of('marking', 'green'),
      tee: of('marking', 'green'),
      bunker: of('marking', 'bunker'),
      driving_range: of('surface', 'fairway'),
      rough: of('ground', 'golf-rough'),
      ...each(['water_hazard', 'lateral_water_hazard'], 'surface', 'pond'),
    },
  },
  {
    key: 'amenity',
    values: {
      ...each(['parking', 'bicycle_parking', 'motorcycle_parking', 'car_rental'], 'surface', 'parking'),
      parking_space: of('marking', 'stall'),
      fountain: of('surface', 'fountain'),
      ...each(
        [
          'school',
          'kindergarten',
          'university',
          'college',
          'hospital',
          'clinic',
          'nursing_home',
          'social_facility',
          'monastery',
          'prison',
          'community_centre',
          'arts_centre',
        ],
        'ground',
        'campus',
      ),
      grave_yard: of('ground', 'cemetery'),
      ...each(
        ['fuel', 'bus_station', 'marketplace', 'car_wash', 'charging_station', 'ferry_terminal', 'taxi'],
        'surface',
        'asphalt',
      ),
      ...each(
        ['place_of_worship', 'townhall', 'fire_station', 'police', 'recycling', 'shelter', 'conference_centre'],
        'surface',
        'plaza',
      ),
      ...each(['waste_transfer_station', 'waste_disposal'], 'ground', 'industrial-ground'),
    },
  },
  {
    key: 'aeroway',
    values: {
      runway: of('runway', 'runway-area'),
      ...each(['taxiway', 'taxilane'], 'runway', 'asphalt'),
      ...each(['apron', 'holding_position', 'parking_position'], 'surface', 'apron'),
      helipad: of('marking', 'helipad'),
      ...each(['aerodrome', 'airstrip', 'heliport'], 'ground', 'airfield'),
      hangar: of('building', 'hall', { height: 10 }),
      terminal: of('building', 'hall', { height: 14 }),
    },
  },
  {
    key: 'natural',
    values: {
      water: of('water', waterLook),
      ...each(['bay', 'strait'], 'water', 'water'),
      spring: of('water', 'pond'),
      wood: of('ground', woodLook),
      tree_group: of('tree', 'tree-group', { height: 8 }),
      ...each(['scrub', 'shrubbery', 'bush'], 'ground', 'scrub'),
      ...each(['heath', 'moor', 'tundra'], 'ground', 'heath'),
      ...each(['grassland', 'fell', 'grass'], 'ground', 'grassland'),
      wetland: of('ground', wetlandLook),
      mud: of('ground', 'mud'),
      ...each(['beach', 'sand', 'dune', 'desert', 'shoal'], 'ground', (tags) =>
        ['shingle', 'gravel', 'pebbles', 'stone'].includes(tags.surface ?? '') ? 'shingle' : 'sand',
      ),
      shingle: of('ground', 'shingle'),
      ...each(['bare_rock', 'rock', 'stone', 'cliff', 'ridge', 'arete', 'reef'], 'ground', 'rock'),
      ...each(['scree', 'rocks', 'blockfield'], 'ground', 'scree'),
      glacier: of('ground', 'glacier'),
      ...each(['earth_bank', 'sinkhole', 'crater'], 'ground', 'bare-ground'),
    },
  },
  {
    key: 'waterway',
    values: {
      ...each(['riverbank', 'river', 'canal', 'stream', 'ditch', 'drain'], 'water', 'river'),
      ...each(['dock', 'boatyard'], 'water', 'water'),
      ...each(['dam', 'weir', 'lock_gate'], 'structure', 'dam', { height: 6 }),
    },
  },
  {
    key: 'landuse',
    values: {
      forest: of('ground', woodLook),
      ...each(['farmland', 'farm', 'field'], 'ground', farmLook, { detail: (tags) => tags.crop ?? '' }),
      meadow: of('ground', 'meadow'),
      ...each(['grass', 'village_green', 'greenfield', 'flowerbed'], 'ground', 'lawn'),
      ...each(['recreation_ground'], 'ground', 'sports-ground'),
      orchard: of('ground', orchardLook),
      vineyard: of('ground', 'vineyard'),
      allotments: of('ground', 'allotments'),
      plant_nursery: of('ground', 'nursery'),
      greenhouse_horticulture: of('ground', 'nursery'),
      farmyard: of('ground', 'farmyard'),
      animal_keeping: of('ground', 'meadow'),
      residential: of('ground', 'residential-ground'),
      garages: of('ground', 'asphalt'),
      ...each(['commercial', 'retail'], 'ground', 'commercial-ground'),
      ...each(['industrial', 'port', 'depot', 'logistics'], 'ground', 'industrial-ground'),
      ...each(['education', 'institutional', 'religious', 'civic_admin', 'healthcare'], 'ground', 'campus'),
      military: of('ground', 'airfield'),
      cemetery: of('ground', 'cemetery'),
      quarry: of('ground', 'quarry'),
      landfill: of('ground', 'landfill'),
      construction: of('ground', 'construction'),
      brownfield: of('ground', 'brownfield'),
      railway: of('ground', 'railyard'),
      ...each(['reservoir', 'basin', 'pond'], 'water', waterLook),
      salt_pond: of('water', 'salt-pond'),
      aquaculture: of('water', 'pond'),
      winter_sports: of('ground', 'grassland'),
      logging: of('ground', 'clearing'),
    },
  },
  {
    key: 'tourism',
    values: {
      ...each(['camp_site', 'caravan_site'], 'ground', 'campsite'),
      ...each(['zoo', 'theme_park', 'picnic_site'], 'ground', 'park'),
      artwork: of('surface', 'plaza'),
    },
  },
  {
    key: 'highway',
    values: {
      pedestrian: of('surface', 'plaza'),
      ...each(['footway', 'platform', 'steps', 'path', 'living_street'], 'surface', 'plaza'),
      ...each(
        [
          'service',
          'rest_area',
          'services',
          'residential',
          'unclassified',
          'tertiary',
          'secondary',
          'primary',
          'track',
          'cycleway',
        ],
        'surface',
        'asphalt',
      ),
    },
  },
  { key: 'area:highway', values: { '*': of('surface', 'asphalt') } },
  {
    key: 'railway',
    values: {
      ...each(['station', 'yard', 'depot'], 'ground', 'railyard'),
      platform: of('surface', 'platform'),
      turntable: of('surface', 'concrete'),
    },
  },
  { key: 'public_transport', values: { platform: of('surface', 'platform'), station: of('ground', 'railyard') } },
  {
    key: 'historic',
    values: {
      ...each(['ruins', 'archaeological_site', 'castle', 'fort'], 'ground', 'ruins-ground'),
      tomb: of('ground', 'mound'),
    },
  },
  { key: 'barrier', values: { hedge: of('tree', 'tree-group', { height: 2 }) } },
  { key: 'place', values: { square: of('surface', 'plaza'), ...each(['islet', 'island'], 'ground', 'grassland') } },
  {
    key: 'surface',
    values: {
      ...each(['asphalt', 'paved'], 'surface', 'asphalt'),
      ...each(['grass'], 'ground', 'lawn'),
      ...each(['concrete'], 'surface', 'concrete'),
    },
  },
]
