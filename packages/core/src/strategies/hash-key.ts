/** Spreads 32 bits evenly over 32 bits (the finalizer of MurmurHash3, by Austin Appleby, public domain). */
export function mix32(bits: number): number {
  let mixed = bits ^ (bits >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed ^= mixed >>> 13
  mixed = Math.imul(mixed, 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/** 32 bits of a text (FNV-1a over its UTF-16 units, then mixed): the same in every thread and at every start, so that a key keeps its node. */
export function hashOfText(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return mix32(hash)
}

/** 32 bits of an integer below 2^53. */
export function hashOfNumber(value: number): number {
  return mix32(mix32(value % 0x1_0000_0000) ^ Math.floor(value / 0x1_0000_0000))
}
