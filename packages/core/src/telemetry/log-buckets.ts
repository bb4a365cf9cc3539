/** Buckets whose bounds grow by 5 %: a value read back is at most 2.5 % off. From 0.01 ms to about 3 hours. */
const growth = Math.log(1.05)
const smallest = 0.01

export const bucketCount = 428

/** Bucket of a value; what lies outside goes to the first or last. */
export function bucketOf(value: number): number {
  if (!(value > smallest)) return 0
  return Math.min(bucketCount - 1, Math.ceil(Math.log(value / smallest) / growth))
}

/** The middle of a bucket, by ratio. */
export function valueOf(bucket: number): number {
  return smallest * Math.exp((bucket - 0.5) * growth)
}
