import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { BadGguf, NeedsMoreBytes } from './gguf-cursor.js'
import { type GgufHeader, readGgufHeader } from './gguf-header.js'

/** A vocabulary of 300,000 words takes 15 MiB; nothing honest takes this much. */
const MOST_HEADER_BYTES = 128 * 1024 * 1024
const FIRST_READ_BYTES = 1024 * 1024
const GROWTH = 8

export interface GgufFile {
  readonly bytes: number
  readonly header: GgufHeader
}

/** Throws BadGguf, and what the system says where it cannot be read. */
export async function readGgufFile(path: string, signal: AbortSignal): Promise<GgufFile> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    for (let wanted = FIRST_READ_BYTES; ; wanted *= GROWTH) {
      signal.throwIfAborted()
      const room = Buffer.allocUnsafe(Math.min(wanted, size))
      const { bytesRead } = await file.read(room, 0, room.byteLength, 0)
      const header = headerOf(room.subarray(0, bytesRead), size, wanted)
      if (header !== undefined) return { bytes: size, header }
    }
  } finally {
    await file.close()
  }
}

/** The same at once; a few MiB. */
export function readGgufFileSync(path: string): GgufFile {
  const file = openSync(path, 'r')
  try {
    const { size } = fstatSync(file)
    for (let wanted = FIRST_READ_BYTES; ; wanted *= GROWTH) {
      const room = Buffer.allocUnsafe(Math.min(wanted, size))
      const header = headerOf(room.subarray(0, readSync(file, room, 0, room.byteLength, 0)), size, wanted)
      if (header !== undefined) return { bytes: size, header }
    }
  } finally {
    closeSync(file)
  }
}

/** Undefined: read more. */
function headerOf(bytes: Buffer, fileBytes: number, wanted: number): GgufHeader | undefined {
  try {
    return readGgufHeader(bytes)
  } catch (error) {
    if (!(error instanceof NeedsMoreBytes)) throw error
    if (bytes.byteLength >= fileBytes) throw new BadGguf('it ends inside its header', { cause: error })
    if (wanted >= MOST_HEADER_BYTES) throw new BadGguf('its header has no end', { cause: error })
    return undefined
  }
}
