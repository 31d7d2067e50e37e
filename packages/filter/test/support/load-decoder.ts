/** Loads the module that decodes images again and again, as every thread does that starts, until it is ended. */
for (let i = 0; ; i++) await import(`../../src/clip/preprocess.ts?${i}`)
