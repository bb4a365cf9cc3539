import { hexValue } from './chunked-decoder.js'

/** One whole chunk frame: its payload is [dataStart, dataEnd); an empty payload is the closing frame, without trailers. */
export interface ChunkFrame {
  dataStart: number
  dataEnd: number
  /** Behind the frame's last byte. */
  end: number
}

const CR = 13
const LF = 10
/** Frames larger than 16 MiB are not taken whole. */
const MAX_DIGITS = 6

const found: ChunkFrame = { dataStart: 0, dataEnd: 0, end: 0 }

/** The frame that starts at `at`, when all of it is there and nothing about it is unusual; else undefined, and the decoder decides. The object is reused by the next call. */
export function nextFrame(bytes: Buffer, at: number): ChunkFrame | undefined {
  let size = 0
  let position = at
  for (let digit = hexValue(bytes[position] ?? 0); digit !== -1; digit = hexValue(bytes[position] ?? 0)) {
    if (position - at >= MAX_DIGITS) return undefined
    size = size * 16 + digit
    position += 1
  }
  if (position === at || bytes[position] !== CR || bytes[position + 1] !== LF) return undefined
  const end = position + 2 + size
  if (bytes[end] !== CR || bytes[end + 1] !== LF) return undefined
  found.dataStart = position + 2
  found.dataEnd = end
  found.end = end + 2
  return found
}
