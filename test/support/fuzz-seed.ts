import fc from 'fast-check'

/**
 * Property-based tests try the same cases each time, so that a failure is one of the code and can be had again.
 * SKYSCRIPT_FUZZ_SEED=<number> tries others.
 */
fc.configureGlobal({ seed: Number(process.env.SKYSCRIPT_FUZZ_SEED ?? 51) })
