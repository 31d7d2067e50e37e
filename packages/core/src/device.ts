/** Where onnxruntime can run a model: its execution providers, by their names. */
export const DEVICES = ['cpu', 'cuda', 'coreml', 'dml'] as const
export type Device = (typeof DEVICES)[number]
