declare module 'osm-pbf-parser' {
  import { Transform } from 'node:stream'

  export default class OsmPbfParser extends Transform {}
}
