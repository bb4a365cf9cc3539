/** What tools write where they know nothing; the brackets come and go. */
const UNKNOWN =
  /^\[?\s*(n\/a|not supported|not available|none|unknown|unknown error|insufficient permissions|gpu requires reset|gpu is lost|)\s*\]?$/i

/** Nothing that a GPU has is larger; what is, was not meant as a number. */
const LARGEST = 1e15
const MIB = 1024 * 1024

/** The text, or undefined where the tool did not know. */
export function knownText(value: unknown): string | undefined {
  const text = typeof value === 'string' ? value.trim() : typeof value === 'number' ? String(value) : ''
  return UNKNOWN.test(text) ? undefined : text
}

/** A number of at least 0, with or without its unit; null for everything else, never 0 for what is unknown. */
export function knownNumber(value: unknown): number | null {
  const match = /^\+?(\d+(?:\.\d+)?)\s*(?:[a-z%°]{0,4})$/i.exec(knownText(value) ?? '')
  const number = match === null ? Number.NaN : Number(match[1])
  return Number.isFinite(number) && number <= LARGEST ? number : null
}

/** MiB of a text such as `81559`, `40448 MiB` or `16 GB`; no accelerator has none, so 0 is unknown unless `zero` is allowed. */
export function mebibytes(value: unknown, { zero = false } = {}): number | null {
  const number = knownNumber(value)
  if (number === null || (number === 0 && !zero)) return null
  const unit = /([KMGT])i?B$/i.exec(knownText(value) ?? '')?.[1]?.toUpperCase() ?? 'M'
  return Math.round(number * 1024 ** ('KMGT'.indexOf(unit) - 1))
}

/** MiB of a number of bytes; the same rule about 0. */
export function mebibytesOfBytes(value: unknown, { zero = false } = {}): number | null {
  const bytes = knownNumber(value)
  return bytes === null || (bytes === 0 && !zero) ? null : Math.round(bytes / MIB)
}

/** 0..1 of a percentage; null beyond 100. */
export function ratio(value: unknown): number | null {
  const percent = knownNumber(value)
  return percent === null || percent > 100 ? null : percent / 100
}

/** Degrees Celsius that a working sensor can say. */
export function celsius(value: unknown): number | null {
  const degrees = knownNumber(value)
  return degrees === null || degrees > 250 ? null : Math.round(degrees)
}

/** What is free where a tool tells total and used. */
export function freeOf(totalMiB: number | null, usedMiB: number | null): number | null {
  return totalMiB === null || usedMiB === null || usedMiB > totalMiB ? null : totalMiB - usedMiB
}

/** `0000:3b:00.0`, however many digits the domain was written with; null where it is no address. */
export function busId(value: unknown): string | null {
  const match = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i.exec(knownText(value) ?? '')
  if (match === null) return null
  const domain = (match[1] ?? '0000').toLowerCase().replace(/^0+(?=[0-9a-f]{4}$)/, '')
  return `${domain}:${(match[2] ?? '').toLowerCase()}`
}

/** `GPU-<16 hex digits>` of AMD's unique id, as ROCr takes it. */
export function amdUuid(value: unknown): string | null {
  const hex = /^(?:0x)?([0-9a-f]{8,16})$/i.exec(knownText(value) ?? '')?.[1]?.toLowerCase()
  return hex === undefined || /^0+$/.test(hex) ? null : `GPU-${hex.padStart(16, '0')}`
}
