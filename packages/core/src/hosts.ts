import { BlockList, isIP, isIPv6 } from 'node:net'

/** Names by which clouds reach their metadata service. */
const METADATA_NAMES = new Set(['metadata', 'metadata.google.internal', 'metadata.goog', 'instance-data.ec2.internal'])

/**
 * Addresses that no setting may lead to: link-local ones (RFC 3927, RFC 4291), where clouds keep the metadata service
 * that hands out credentials, and the metadata addresses that are not link-local.
 */
const refused = new BlockList()
refused.addSubnet('169.254.0.0', 16, 'ipv4')
refused.addSubnet('fe80::', 10, 'ipv6')
/** Amazon. */
refused.addSubnet('fd00:ec2::', 32, 'ipv6')
/** Google, Scaleway. */
refused.addAddress('fd20:ce::254', 'ipv6')
refused.addAddress('fd00:42::42', 'ipv6')
/** Alibaba, Oracle's older one, and Azure's host agent. */
refused.addAddress('100.100.100.200', 'ipv4')
refused.addAddress('192.0.0.192', 'ipv4')
refused.addAddress('168.63.129.16', 'ipv4')

/**
 * IPv6 forms that carry an IPv4 address, and the first byte of it: NAT64 (RFC 6052, and RFC 8215 with its /96 within),
 * IPv4-mapped, IPv4-compatible, IPv4-translated and 6to4.
 */
const CARRIERS = (
  [
    ['64:ff9b::', 96, 12],
    ['64:ff9b:1::', 48, 12],
    ['::ffff:0:0', 96, 12],
    ['::', 96, 12],
    ['::ffff:0:0:0', 96, 12],
    ['2002::', 16, 2],
  ] as const
).map(([prefix, bits, at]) => {
  const list = new BlockList()
  list.addSubnet(prefix, bits, 'ipv6')
  return { list, at }
})

/** Whether no request may go to an IP address (without brackets). What is no address is not refused. */
export function isRefusedAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, '')
  if (!isIPv6(bare)) return isIP(bare) === 4 && refused.check(bare, 'ipv4')
  if (refused.check(bare, 'ipv6')) return true
  const bytes = bytesOf(bare)
  return CARRIERS.some(
    ({ list, at }) => list.check(bare, 'ipv6') && refused.check(bytes.slice(at, at + 4).join('.'), 'ipv4'),
  )
}

/**
 * Whether no request may go to a URL's host: it is link-local, or a cloud's metadata service, which hands out
 * credentials to any request from inside. A name may still lead there: what it is looked up to is checked by
 * `isRefusedAddress` before the connection is made.
 *
 * @param hostname as `URL` gives it: in lower case, addresses in their one form
 */
export function isRefusedHost(hostname: string): boolean {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '')
  return METADATA_NAMES.has(bare) || isRefusedAddress(bare)
}

/** The 16 bytes of a valid IPv6 address. */
function bytesOf(address: string): number[] {
  // URL writes any form in groups of hexadecimal digits, without an IPv4 tail.
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16)))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const zeros = new Array<number>(8 - before.length - after.length).fill(0)
  return [...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 255])
}

/** Whether a URL's hostname is this machine: what is sent there passes no network. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}

/** Requests to the host of a service that is free to use: at a time, and started in a second. */
export const POLITE_REQUESTS = { concurrent: 4, perSecond: 10 }

/** The same to servers of files. */
export const FILE_REQUESTS = { concurrent: 16, perSecond: 50 }

/** Requests of a project that Earth Engine starts in a second: https://developers.google.com/earth-engine/guides/usage */
export const EARTH_ENGINE_PER_SECOND = 100
