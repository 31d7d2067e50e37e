/** The part of Google's client that builds expressions; the package ships no types. */
declare module '@google/earthengine' {
  export interface Computed {
    select(bands: readonly string[]): Computed
    visualize(options: { bands: readonly string[]; min: number; max: number }): Computed
    mask(): Computed
    reduce(reducer: Computed): Computed
    multiply(value: number | Computed): Computed
    add(value: number | Computed): Computed
    eq(value: number): Computed
    gt(value: number): Computed
    not(): Computed
    or(other: Computed): Computed
    bitwiseAnd(bits: number): Computed
    unmask(value: number): Computed
    toByte(): Computed
    rename(names: readonly string[]): Computed
    addBands(image: Computed): Computed
    geometry(): Computed
    bounds(): Computed
    get(property: string): Computed
    filterBounds(geometry: Computed): Computed
    filterDate(start: string, end?: string): Computed
    filter(filter: Computed): Computed
    limit(max: number, property?: string, ascending?: boolean): Computed
    map(task: (element: Computed) => Computed): Computed
    set(properties: Record<string, unknown>): Computed
  }
  interface Signature {
    name: string
    description: string
    returns: string
    args: { name: string; type: string; optional: boolean; default: unknown; description: string }[]
  }
  const ee: {
    initialize(
      baseUrl: string | null,
      tileUrl: string | null,
      ok: () => void,
      fail: (message: string) => void,
      xsrf: null,
      project: string,
    ): void
    data: {
      getAlgorithms(done?: (signatures: Record<string, Signature>) => void): Record<string, Signature> | undefined
    }
    Serializer: { encodeCloudApi(value: Computed): unknown }
    Image(id: string | Computed): Computed
    ImageCollection(id: string): Computed
    Feature(geometry: Computed | null, properties?: Record<string, unknown>): Computed
    Filter: {
      lte(property: string, value: number): Computed
      gt(property: string, value: string): Computed
      notNull(properties: readonly string[]): Computed
    }
    Geometry: { Rectangle(coordinates: readonly number[], projection: string, geodesic: boolean): Computed }
    Reducer: { min(): Computed; max(): Computed }
  }
  export default ee
}
