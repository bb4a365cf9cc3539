import { createHash } from 'node:crypto'
import type { RequestScan } from './request-scan.js'

/** Small blocks where prompts differ most, large ones behind: design/data-path.md, prefix hashes. */
const SMALL_BLOCK_BYTES = 256
const SMALL_UNTIL_BYTES = 16_384
const LARGE_BLOCK_BYTES = 2_048
const MOST_HASHES = 512

/** Tools stand first in chat templates and last in bodies, so the order is ours. */
const PARTS = ['model', 'tools', 'response_format', 'system', 'messages', 'prompt', 'input'] as const

/** Chained hashes of the prompt's whole blocks, salted so that they mean nothing to anyone else; equal hashes = equal prefixes. */
export function prefixHashes(scan: RequestScan, salt: Uint8Array): readonly string[] {
  const prompt = promptBytes(scan)
  const hashes: string[] = []
  let chain: Uint8Array = salt
  let at = 0
  while (hashes.length < MOST_HASHES) {
    const size = at < SMALL_UNTIL_BYTES ? SMALL_BLOCK_BYTES : LARGE_BLOCK_BYTES
    if (at + size > prompt.byteLength) break
    chain = createHash('sha256')
      .update(chain)
      .update(prompt.subarray(at, at + size))
      .digest()
    hashes.push(Buffer.from(chain.buffer, chain.byteOffset, 8).toString('hex'))
    at += size
  }
  return hashes
}

function promptBytes(scan: RequestScan): Uint8Array {
  const parts: Uint8Array[] = []
  for (const name of PARTS) {
    const extent = scan.fields.get(name)
    if (extent !== undefined) parts.push(scan.body.subarray(extent.start, extent.end), SEPARATOR)
  }
  return Buffer.concat(parts)
}

const SEPARATOR = Buffer.from([0])
