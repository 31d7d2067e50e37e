/** Loads the decoding module again and again, as every starting thread does, until the process is killed. */
for (let i = 0; ; i++) await import(`../../src/clip/preprocess.ts?${i}`)
