declare module 's3rver' {
  import type { Server } from 'node:http'

  interface Listed {
    readonly objects: readonly { readonly key: string }[]
    readonly isTruncated: boolean
  }

  export default class S3rver {
    constructor(options: {
      port: number
      address: string
      silent: boolean
      directory: string
      configureBuckets: { name: string; configs: string[] }[]
    })
    readonly httpServer: Server
    readonly store: {
      listObjects(bucket: string, options: { prefix?: string; startAfter?: string; maxKeys?: number }): Promise<Listed>
    }
    run(): Promise<{ port: number }>
    close(): Promise<void>
  }
}
