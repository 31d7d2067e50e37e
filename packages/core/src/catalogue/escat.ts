import type { CatalogueEntry } from './entry.ts'

export const escat: CatalogueEntry = {
  kind: 'wms',
  alias: 'ESCAT',
  title: 'Latest orthophotos of Catalonia 25 cm',
  url: 'https://geoserveis.icgc.cat/icc_mapesbase/wms/service',
  layers: 'orto25c',
  crs: 'EPSG:25831',
  gsd: 0.25,
  extent: [0.16, 40.49, 3.34, 42.86],
  years: null,
  licence: 'CC BY 4.0',
  credit: 'Institut Cartogràfic i Geològic de Catalunya',
  terms:
    'https://wiki.openstreetmap.org/w/index.php?title=ES:Fuentes_de_datos_potenciales_de_Espa%C3%B1a/Servidores_WMS',
  confirmed: 'never',
}
