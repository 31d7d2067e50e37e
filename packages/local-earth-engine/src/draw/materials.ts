/** What covers the ground: colours are those of summer in full light, 0 to 255. */
export interface Material {
  readonly colour: readonly [number, number, number]
  readonly infrared: number
  /** How much brighter or darker one object may be than another, and how far its hue may differ. */
  readonly spread: number
  readonly tint?: number
  /** Soft patches: strength and wave length in metres. */
  readonly mottle: readonly [strength: number, metres: number]
  /** A second, finer layer of patches. */
  readonly fine?: readonly [strength: number, metres: number]
  /** Noise of single pixels. */
  readonly grain: number
  /** Trees that stand on it: share of the crowns of a closed wood. */
  readonly trees?: readonly [kind: 'broad' | 'needle' | 'mixed', density: number]
  /** Crowns' size against those of a wood. */
  readonly treeScale?: number
  /** 1 turns brown in winter and dry summers as grass does, 0 stays. */
  readonly living: number
  readonly pattern?: string
}

const ground = (colour: Material['colour'], infrared: number, more: Partial<Material> = {}): Material => ({
  colour,
  infrared,
  spread: 8,
  mottle: [7, 14],
  grain: 4,
  living: 0,
  ...more,
})

export const MATERIALS: Readonly<Record<string, Material>> = {
  // Green
  lawn: ground([104, 138, 72], 190, { spread: 8, mottle: [6, 18], fine: [4, 3], living: 1 }),
  meadow: ground([128, 150, 82], 185, {
    spread: 12,
    tint: 10,
    mottle: [9, 45],
    fine: [7, 5],
    grain: 5,
    living: 1,
    pattern: 'mown',
  }),
  grassland: ground([146, 148, 96], 160, {
    spread: 10,
    mottle: [14, 40],
    fine: [9, 6],
    grain: 6,
    living: 1,
    trees: ['broad', 0.03],
  }),
  farmland: ground([150, 140, 92], 150, {
    spread: 0,
    mottle: [7, 60],
    fine: [4, 7],
    grain: 4,
    living: 0.4,
    pattern: 'field',
  }),
  paddy: ground([96, 128, 92], 120, { spread: 8, mottle: [10, 40], grain: 3, living: 0.6, pattern: 'field' }),
  orchard: ground([142, 150, 92], 170, { spread: 8, mottle: [7, 20], grain: 5, living: 0.8, pattern: 'orchard' }),
  'olive-grove': ground([196, 172, 130], 160, { spread: 8, mottle: [8, 25], grain: 6, pattern: 'olive' }),
  vineyard: ground([176, 156, 116], 150, { spread: 8, mottle: [7, 30], grain: 4, living: 0.2, pattern: 'vines' }),
  nursery: ground([134, 132, 92], 140, { spread: 8, mottle: [5, 20], grain: 4, living: 0.4, pattern: 'beds' }),
  allotments: ground([122, 128, 84], 150, {
    spread: 6,
    mottle: [8, 10],
    grain: 6,
    living: 0.6,
    pattern: 'plots',
    trees: ['broad', 0.08],
    treeScale: 0.7,
  }),
  'broad-wood': ground([40, 58, 34], 120, { spread: 5, mottle: [4, 40], grain: 4, trees: ['broad', 1], living: 1 }),
  'needle-wood': ground([26, 40, 32], 80, { spread: 4, mottle: [3, 40], grain: 3, trees: ['needle', 1] }),
  'mixed-wood': ground([34, 50, 34], 100, { spread: 5, mottle: [4, 40], grain: 4, trees: ['mixed', 1], living: 1 }),
  scrub: ground([132, 130, 86], 140, {
    spread: 8,
    mottle: [10, 25],
    grain: 7,
    trees: ['broad', 0.42],
    treeScale: 0.42,
    living: 0.6,
  }),
  heath: ground([126, 104, 92], 120, { spread: 8, mottle: [16, 22], fine: [11, 4], grain: 7, living: 0.4 }),
  marsh: ground([112, 120, 76], 120, { spread: 8, mottle: [8, 50], grain: 6, living: 0.7, pattern: 'pools' }),
  swamp: ground([58, 70, 46], 100, {
    spread: 5,
    mottle: [10, 30],
    grain: 5,
    trees: ['broad', 0.7],
    living: 0.8,
    pattern: 'pools',
  }),
  park: ground([108, 140, 76], 185, { spread: 6, mottle: [7, 25], fine: [4, 4], trees: ['broad', 0.24], living: 1 }),
  garden: ground([104, 132, 74], 170, {
    spread: 6,
    mottle: [12, 7],
    fine: [12, 2.5],
    grain: 8,
    trees: ['broad', 0.2],
    treeScale: 0.6,
    living: 0.8,
  }),
  cemetery: ground([128, 140, 98], 150, {
    spread: 5,
    mottle: [6, 20],
    grain: 5,
    trees: ['needle', 0.12],
    living: 0.6,
    pattern: 'graves',
  }),
  'golf-rough': ground([104, 126, 66], 170, {
    spread: 5,
    mottle: [10, 30],
    fine: [6, 5],
    trees: ['broad', 0.13],
    living: 0.8,
  }),
  fairway: ground([110, 158, 72], 205, { spread: 4, mottle: [4, 30], grain: 3, living: 0.8, pattern: 'stripes' }),
  green: ground([134, 186, 92], 220, { spread: 3, mottle: [2, 12], grain: 2, living: 0.4 }),
  bunker: ground([232, 218, 180], 230, { spread: 4, mottle: [5, 6], grain: 4 }),
  'sports-ground': ground([112, 144, 78], 185, {
    spread: 5,
    mottle: [6, 25],
    grain: 4,
    living: 1,
    trees: ['broad', 0.05],
  }),
  airfield: ground([140, 152, 92], 170, { spread: 5, mottle: [8, 60], fine: [4, 9], grain: 4, living: 1 }),
  campsite: ground([124, 142, 84], 165, {
    spread: 5,
    mottle: [8, 14],
    grain: 5,
    trees: ['broad', 0.22],
    treeScale: 0.8,
    living: 0.8,
    pattern: 'tents',
  }),
  campus: ground([138, 146, 108], 150, { spread: 6, mottle: [10, 22], grain: 5, trees: ['broad', 0.1], living: 0.6 }),
  // Where people live and work
  'residential-ground': ground([122, 134, 92], 150, {
    spread: 4,
    mottle: [14, 12],
    fine: [9, 3],
    grain: 6,
    trees: ['broad', 0.17],
    treeScale: 0.75,
    living: 0.7,
  }),
  'commercial-ground': ground([158, 156, 150], 140, {
    spread: 6,
    mottle: [9, 20],
    fine: [5, 4],
    grain: 5,
    trees: ['broad', 0.03],
    pattern: 'lots',
  }),
  'industrial-ground': ground([152, 147, 138], 130, {
    spread: 7,
    mottle: [14, 26],
    fine: [8, 5],
    grain: 6,
    pattern: 'yard',
  }),
  farmyard: ground([158, 144, 118], 135, {
    spread: 6,
    mottle: [14, 12],
    fine: [8, 3],
    grain: 6,
    trees: ['broad', 0.06],
  }),
  construction: ground([188, 160, 122], 150, {
    spread: 8,
    mottle: [20, 16],
    fine: [12, 4],
    grain: 7,
    pattern: 'digging',
  }),
  brownfield: ground([156, 142, 112], 130, {
    spread: 6,
    mottle: [18, 14],
    fine: [12, 4],
    grain: 7,
    trees: ['broad', 0.14],
    treeScale: 0.4,
    living: 0.3,
  }),
  quarry: ground([206, 192, 166], 180, { spread: 8, mottle: [16, 45], fine: [9, 6], grain: 6, pattern: 'terraces' }),
  landfill: ground([150, 132, 108], 120, { spread: 6, mottle: [20, 18], fine: [18, 3], grain: 12, pattern: 'rubbish' }),
  clearing: ground([152, 136, 96], 130, {
    spread: 8,
    mottle: [14, 12],
    fine: [10, 3],
    grain: 8,
    trees: ['needle', 0.05],
    living: 0.3,
  }),
  'ruins-ground': ground([168, 152, 116], 140, {
    spread: 6,
    mottle: [10, 14],
    grain: 6,
    living: 0.3,
    pattern: 'walls',
  }),
  railyard: ground([132, 120, 108], 105, { spread: 5, mottle: [9, 16], fine: [6, 3], grain: 7 }),
  substation: ground([176, 174, 168], 150, { spread: 4, mottle: [4, 9], grain: 5, pattern: 'switchgear' }),
  solar: ground([140, 146, 104], 140, { spread: 4, mottle: [6, 20], grain: 4, living: 0.5, pattern: 'panels' }),
  // Bare ground
  sand: ground([226, 208, 166], 210, { spread: 7, mottle: [8, 30], fine: [5, 5], grain: 4, pattern: 'ripples' }),
  shingle: ground([178, 172, 162], 160, { spread: 7, mottle: [9, 18], fine: [8, 2.5], grain: 12 }),
  rock: ground([150, 144, 136], 130, { spread: 8, mottle: [18, 26], fine: [15, 5], grain: 8, pattern: 'crags' }),
  scree: ground([166, 160, 150], 140, { spread: 8, mottle: [12, 22], fine: [12, 2.2], grain: 16 }),
  glacier: ground([232, 240, 246], 190, { spread: 4, mottle: [7, 60], fine: [5, 9], grain: 3, pattern: 'crevasses' }),
  mud: ground([120, 106, 88], 90, { spread: 6, mottle: [10, 30], fine: [5, 5], grain: 4 }),
  'bare-ground': ground([168, 146, 112], 140, { spread: 7, mottle: [12, 16], fine: [7, 4], grain: 6 }),
  mound: ground([140, 144, 92], 160, { mottle: [8, 8], living: 0.8 }),
  // Hard surfaces
  asphalt: ground([112, 112, 114], 100, { spread: 10, mottle: [5, 14], fine: [3, 3], grain: 5 }),
  concrete: ground([178, 175, 168], 160, { spread: 8, mottle: [5, 10], grain: 4, pattern: 'slabs' }),
  gravel: ground([180, 168, 146], 150, { spread: 7, mottle: [6, 7], grain: 7 }),
  plaza: ground([184, 174, 160], 160, { spread: 8, mottle: [4, 12], grain: 4, pattern: 'tiles' }),
  platform: ground([172, 168, 162], 150, { spread: 5, mottle: [3, 8], grain: 4, pattern: 'edge-line' }),
  parking: ground([108, 108, 111], 98, { spread: 8, mottle: [5, 16], grain: 4, pattern: 'stalls' }),
  stall: ground([112, 112, 115], 100, { spread: 4, mottle: [3, 8], grain: 4, pattern: 'one-car' }),
  apron: ground([176, 176, 172], 160, { spread: 6, mottle: [5, 20], grain: 4, pattern: 'apron' }),
  'runway-area': ground([96, 96, 99], 90, { spread: 5, mottle: [5, 30], grain: 4 }),
  helipad: ground([120, 120, 122], 110, { spread: 4, mottle: [3, 8], grain: 4, pattern: 'landing' }),
  pier: ground([158, 140, 116], 140, { spread: 8, mottle: [4, 6], grain: 4, pattern: 'planks' }),
  'bridge-deck': ground([160, 158, 152], 150, { spread: 6, mottle: [4, 8], grain: 4 }),
  boulders: ground([136, 132, 126], 120, { spread: 6, mottle: [6, 8], fine: [18, 1.8], grain: 14 }),
  playground: ground([206, 180, 132], 180, { spread: 5, mottle: [6, 6], grain: 5, pattern: 'play' }),
  // Sport
  soccer: ground([92, 146, 66], 205, { spread: 6, mottle: [4, 20], grain: 4, living: 0.6, pattern: 'soccer' }),
  gridiron: ground([82, 138, 66], 200, { spread: 5, mottle: [3, 20], grain: 4, living: 0.4, pattern: 'gridiron' }),
  turf: ground([52, 128, 112], 120, { spread: 8, mottle: [2, 15], grain: 3, pattern: 'soccer' }),
  cricket: ground([104, 150, 72], 205, { spread: 5, mottle: [4, 20], grain: 4, living: 0.6, pattern: 'cricket' }),
  pitch: ground([100, 146, 74], 200, { spread: 8, mottle: [5, 16], grain: 4, living: 0.7, pattern: 'outline' }),
  tennis: ground([184, 96, 70], 150, { spread: 6, mottle: [3, 8], grain: 3, pattern: 'tennis' }),
  basketball: ground([110, 120, 142], 110, { spread: 8, mottle: [3, 8], grain: 3, pattern: 'basketball' }),
  'beach-court': ground([232, 212, 164], 215, { spread: 4, mottle: [6, 5], grain: 5, pattern: 'net' }),
  baseball: ground([100, 148, 70], 200, { spread: 5, mottle: [4, 18], grain: 4, living: 0.7, pattern: 'diamond' }),
  athletics: ground([178, 82, 62], 140, { spread: 6, mottle: [3, 12], grain: 3, pattern: 'lanes' }),
  skate: ground([188, 186, 180], 165, { spread: 5, mottle: [4, 8], grain: 3, pattern: 'ramps' }),
  'sand-court': ground([214, 190, 146], 190, { spread: 5, mottle: [8, 9], fine: [5, 2], grain: 5 }),
  ice: ground([224, 234, 240], 190, { spread: 3, mottle: [3, 9], grain: 2, pattern: 'outline' }),
}
