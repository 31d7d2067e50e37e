/**
 * Numbers that rise as ids do in a file that is sorted by type and id: 0, -1, -2 ..., then 1, 2 ...
 * https://docs.osmcode.org/osmium/latest/osmium-sort.html
 */
export const placeOf = (id: number): number => (id > 0 ? id : -Number.MAX_SAFE_INTEGER - id)
