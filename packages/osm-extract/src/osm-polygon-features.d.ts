declare module 'osm-polygon-features' {
  const features: readonly { key: string; polygon: 'all' | 'whitelist' | 'blacklist'; values?: readonly string[] }[]
  export default features
}
