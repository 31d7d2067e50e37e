import { expect, test } from 'vitest'
import { isAllowedLicence, OPEN_LICENCES } from './licences.ts'

test.each([
  ['CC BY 4.0', 'CC-BY-4.0'],
  ['cc-by 4.0', 'CC BY 4.0'],
  ['Creative Commons Attribution 4.0', 'CC-BY-4.0'],
  ['Licence Ouverte 2.0', 'etalab-2.0'],
  ['dl-de/by-2-0; changes must be marked', 'DL-DE-BY-2.0'],
  ['dl-de/zero-2-0', 'dl-de/zero-2-0'],
  ['CC0', 'CC0-1.0'],
  ['CC BY 4.0', 'CC BY'],
  ['CC BY-NC 4.0', 'CC BY-NC'],
  ['CC0 1.0', 'CC0'],
  ['public domain', 'public-domain'],
  ['terms of IGN (Spain): free for any legitimate use', 'terms of IGN'],
  ['Licence de la Ville de Genève', 'licence de la ville de geneve'],
])('%s is allowed by naming %s', (licence, name) => {
  expect(isAllowedLicence(licence, [name])).toBe(true)
})

test.each([
  ['CC BY-NC 4.0', 'CC BY 4.0'],
  ['CC BY-SA 4.0', 'CC-BY-4.0'],
  ['CC BY 3.0', 'CC BY 4.0'],
  ['CC BY-NC 4.0', 'CC BY'],
  ['CC BY-NC-SA 4.0', 'CC BY-NC'],
  ['Creative Commons Attribution-NonCommercial 4.0', 'Creative Commons Attribution'],
  ['CC BY-NC-SA 3.0 IGO', 'CC BY 3.0'],
  ['dl-de/zero-2-0', 'dl-de/by-2-0'],
  ['all rights reserved, public domain data excepted', 'public domain'],
  ['unknown', 'CC0-1.0'],
])('%s is not allowed by naming %s', (licence, name) => {
  expect(isAllowedLicence(licence, [name])).toBe(false)
})

test('no licence that forbids commercial use or changes, or asks for the same licence, counts as open', () => {
  for (const licence of ['CC BY-NC 4.0', 'CC BY-ND 4.0', 'CC BY-SA 4.0', 'ODbL 1.0', 'CC-BY-NC-SA-4.0', 'unknown'])
    expect(isAllowedLicence(licence, OPEN_LICENCES), licence).toBe(false)
  for (const licence of ['CC BY 4.0', 'CC0 1.0', 'public domain', 'Licence Ouverte 2.0', 'dl-de/by-2-0'])
    expect(isAllowedLicence(licence, OPEN_LICENCES), licence).toBe(true)
})
