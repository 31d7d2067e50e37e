const METADATA_HOSTS = new Set(['169.254.169.254', 'metadata.google.internal', '[fd00:ec2::254]', '100.100.100.200'])

/** Whether a URL's hostname is that of a cloud's metadata service, which hands out credentials to whoever asks inside. */
export function isMetadataHost(hostname: string): boolean {
  return METADATA_HOSTS.has(hostname)
}

/** Whether a URL's hostname is this machine: what is sent there passes no network. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname === '::1' || /^127\.\d+\.\d+\.\d+$/.test(hostname)
}
