import { bytesOfBlocks } from '../../dialects/index.js'

/** Lengths, in blocks, at which prompts are compared: two or three for each doubling, from half a kilobyte on. Shorter ones are computed in no time. */
const BLOCKS = [2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 72, 80, 96, 128, 192, 256, 384, 512, 1024, 2048] as const

export const RUNGS = BLOCKS.length

/** Bytes of prompt between each rung and the one below it. */
export const stepBytes: readonly number[] = BLOCKS.map((blocks, rung) => bytesOfBlocks(blocks) - bytesOfBlocks(BLOCKS[rung - 1] ?? 0))

/** What names the beginning of a prompt up to this rung; undefined: the prompt is shorter. */
export function markAt(hashes: Float64Array, rung: number): number | undefined {
  return hashes[(BLOCKS[rung] ?? Infinity) - 1]
}

/** How many rungs two prompts have in common from their beginning on. */
export function sharedRungs(a: Float64Array, b: Float64Array): number {
  let rung = 0
  for (; rung < RUNGS; rung += 1) {
    const mark = markAt(a, rung)
    if (mark === undefined || mark !== markAt(b, rung)) break
  }
  return rung
}
