/**
 * Makes a bucket on the S3 server that the environment names, if it isn't there: `node create-bucket.ts <name>`.
 */
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'

const [bucket] = process.argv.slice(2)
if (!bucket) throw new Error('Usage: node create-bucket.ts <name>')
const endpoint = process.env.AWS_ENDPOINT_URL_S3 ?? process.env.AWS_ENDPOINT_URL
const client = new S3Client({
  requestChecksumCalculation: 'WHEN_REQUIRED',
  ...(endpoint && { endpoint, forcePathStyle: true }),
})
try {
  await client.send(new CreateBucketCommand({ Bucket: bucket }))
  process.stderr.write(`Made the bucket ${bucket}.\n`)
} catch (error) {
  const { name } = error as Error
  if (name !== 'BucketAlreadyOwnedByYou' && name !== 'BucketAlreadyExists') throw error
  process.stderr.write(`The bucket ${bucket} is there.\n`)
}
