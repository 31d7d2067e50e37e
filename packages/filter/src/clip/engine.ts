import manifest from 'onnxruntime-node/package.json' with { type: 'json' }

/** Version of the inference engine, which affects the last digits of scores. Read without loading the engine. */
export const ENGINE_VERSION: string = manifest.version
