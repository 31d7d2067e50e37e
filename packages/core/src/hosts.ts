const METADATA_HOSTS = new Set(['169.254.169.254', 'metadata.google.internal', '[fd00:ec2::254]', '100.100.100.200'])

/** An IPv4 address as an IPv6 one, as URLs have it: `[::ffff:a9fe:a9fe]`. */
const MAPPED = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/

/**
 * Whether a URL's hostname is that of a cloud's metadata service, which hands out credentials to whoever asks inside.
 *
 * @param hostname as `URL` gives it: in lower case, addresses in their one form
 */
export function isMetadataHost(hostname: string): boolean {
  const mapped = MAPPED.exec(hostname)
  const [high, low] = (mapped ?? []).slice(1).map((part) => Number.parseInt(part, 16)) as [number?, number?]
  const address =
    high === undefined || low === undefined ? hostname : [high >> 8, high & 255, low >> 8, low & 255].join('.')
  return METADATA_HOSTS.has(address.replace(/\.$/, ''))
}

/** Whether a URL's hostname is this machine: what is sent there passes no network. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
