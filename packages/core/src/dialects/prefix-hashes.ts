import { hashSecret } from './hash-secret.js'
import type { RequestScan } from './request-scan.js'
import { HASHES_AT, scannerModule, WINDOW_AT, WINDOW_BYTES, type ScannerModule } from './scanner-module.js'

/** Small blocks where prompts differ most, large ones behind: design/data-path.md, prefix hashes. */
const SMALL_BLOCK_BYTES = 256
const SMALL_UNTIL_BYTES = 16_384
const LARGE_BLOCK_BYTES = 2_048
const SMALL_BLOCKS = SMALL_UNTIL_BYTES / SMALL_BLOCK_BYTES
const MOST_HASHES = 2_048
/** Of every prompt that is shorter than a block. */
export const NO_HASHES = new Float64Array(0)

/** Tools stand first in chat templates and last in bodies, so the order is ours. */
const PARTS = ['model', 'tools', 'response_format', 'system', 'messages', 'prompt', 'input'] as const

/**
 * Chained hashes of the prompt's whole blocks, as integers below 2^52; equal hashes = equal prefixes. Salted, so that they mean nothing to anyone else.
 * At most 2,048, which is 4 MB of prompt.
 */
export function prefixHashes(scan: RequestScan, salt: Uint8Array): Float64Array {
  const blocks = blocksIn(promptBytes(scan))
  if (blocks === 0) return NO_HASHES
  const hashes = new Float64Array(blocks)
  const module = scannerModule()
  if (module.secretOf !== salt) module.secret.set(hashSecret(salt))
  module.secretOf = salt
  module.chain.fill(0)
  let done = 0
  let filled = 0
  for (const name of PARTS) {
    const extent = scan.fields.get(name)
    if (extent === undefined) continue
    // The separator stands behind each part.
    for (let at = extent.start; at <= extent.end && done < hashes.length;) {
      const taken = Math.min(extent.end - at, WINDOW_BYTES - filled)
      scan.body.copy(module.window, filled, at, at + taken)
      at += taken
      filled += taken
      if (at === extent.end && filled < WINDOW_BYTES) {
        module.window[filled] = SEPARATOR
        at += 1
        filled += 1
      }
      if (filled < WINDOW_BYTES) continue
      done += hashWindow(module, filled, hashes, done)
      filled = 0
    }
  }
  if (done < hashes.length) hashWindow(module, filled, hashes, done)
  return hashes
}

/** Hashes the whole blocks in the window; a full window ends with a block. Returns how many there were. */
function hashWindow(module: ScannerModule, filled: number, hashes: Float64Array, done: number): number {
  const small = done === 0 ? Math.min(SMALL_BLOCKS, Math.floor(filled / SMALL_BLOCK_BYTES)) : 0
  const at = small * SMALL_BLOCK_BYTES
  const large = Math.min(Math.floor((filled - at) / LARGE_BLOCK_BYTES), hashes.length - done - small)
  module.hash(WINDOW_AT, small, SMALL_BLOCK_BYTES, HASHES_AT)
  module.hash(WINDOW_AT + at, large, LARGE_BLOCK_BYTES, HASHES_AT + small * Float64Array.BYTES_PER_ELEMENT)
  hashes.set(module.hashes.subarray(0, small + large), done)
  return small + large
}

/** Bytes of the prompt that its first so many blocks cover. */
export function bytesOfBlocks(blocks: number): number {
  return Math.min(blocks, SMALL_BLOCKS) * SMALL_BLOCK_BYTES + Math.max(0, blocks - SMALL_BLOCKS) * LARGE_BLOCK_BYTES
}

function blocksIn(bytes: number): number {
  const large = Math.floor(Math.max(0, bytes - SMALL_UNTIL_BYTES) / LARGE_BLOCK_BYTES)
  return Math.min(MOST_HASHES, Math.min(SMALL_BLOCKS, Math.floor(bytes / SMALL_BLOCK_BYTES)) + large)
}

function promptBytes({ fields }: RequestScan): number {
  let bytes = 0
  for (const name of PARTS) {
    const extent = fields.get(name)
    if (extent !== undefined) bytes += extent.end - extent.start + 1
  }
  return bytes
}

const SEPARATOR = 0
