/** One command at a time owns an output. */
export { buildClaim, optionsClaim } from './claims.ts'
export { guardedStorage, type Lease, type LeaseClaim, takeLease } from './lease.ts'
