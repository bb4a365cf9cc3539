import * as fc from 'fast-check'

/** One chunk frame as somebody may write it: leading zeros, either case. */
export interface WrittenFrame {
  readonly payload: string
  readonly zeros: number
  readonly upper: boolean
}

export function frameText({ payload, zeros, upper }: WrittenFrame): string {
  const digits = payload.length.toString(16)
  return `${'0'.repeat(zeros)}${upper ? digits.toUpperCase() : digits}\r\n${payload}\r\n`
}

/** Frames with payloads that look like framing themselves. */
export const payloads = fc.array(
  fc.record({
    payload: fc.oneof(
      fc.constantFrom('a', '\r\n', '0\r\n\r\n', '3\r\nabc\r\n', 'data: {"a":1}\n\n', '\0\xff\x80', 'x'.repeat(300)),
      fc.string({ minLength: 1, maxLength: 20 }).map((text) => Buffer.from(text).toString('latin1')),
    ),
    zeros: fc.nat(3),
    upper: fc.boolean(),
  }),
  { maxLength: 6 },
)

/** Cuts bytes at the given places, taken modulo their length. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const points = [...new Set(cuts.map((point) => point % (bytes.byteLength + 1)))].sort((a, b) => a - b)
  return [0, ...points].map((from, index) => bytes.subarray(from, points[index] ?? bytes.byteLength))
}
