import { isIP } from 'node:net'

/** What stands at the start of a connection from a trusted proxy. */
export type ProxyPreface =
  | { readonly kind: 'none' }
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly why: string }
  /** `source` is undefined where the proxy speaks for itself (LOCAL, UNKNOWN). */
  | { readonly kind: 'preface'; readonly length: number; readonly source: string | undefined }

const SIGNATURE_2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const SIGNATURE_1 = Buffer.from('PROXY ', 'latin1')
const MAX_LINE_BYTES = 107
const HEADER_2_BYTES = 16
const MAX_LENGTH_2 = 4_096

/** Reads the PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt), from the first bytes of a connection. */
export function readProxyPreface(bytes: Buffer): ProxyPreface {
  if (begins(bytes, SIGNATURE_2)) return bytes.byteLength < SIGNATURE_2.byteLength ? { kind: 'more' } : readVersion2(bytes)
  if (begins(bytes, SIGNATURE_1)) return bytes.byteLength < SIGNATURE_1.byteLength ? { kind: 'more' } : readVersion1(bytes)
  return { kind: 'none' }
}

/** True when the bytes are the signature, or its beginning. */
function begins(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.byteLength, signature.byteLength)
  return length > 0 && bytes.compare(signature, 0, length, 0, length) === 0
}

function readVersion1(bytes: Buffer): ProxyPreface {
  const end = bytes.indexOf('\r\n')
  if (end === -1) return bytes.byteLength >= MAX_LINE_BYTES ? bad('its line is over 107 bytes') : { kind: 'more' }
  if (end + 2 > MAX_LINE_BYTES) return bad('its line is over 107 bytes')
  const words = bytes.toString('latin1', 0, end).split(' ')
  if (words[1] === 'UNKNOWN') return { kind: 'preface', length: end + 2, source: undefined }
  const family = words[1] === 'TCP4' ? 4 : words[1] === 'TCP6' ? 6 : 0
  const [, , source = '', target = '', sourcePort = '', targetPort = ''] = words
  const ports = [sourcePort, targetPort].every((port) => /^\d{1,5}$/.test(port) && Number(port) <= 65_535)
  if (words.length !== 6 || family === 0 || isIP(source) !== family || isIP(target) !== family || !ports) return bad('a line of version 1 that is none')
  return { kind: 'preface', length: end + 2, source }
}

function readVersion2(bytes: Buffer): ProxyPreface {
  if (bytes.byteLength < HEADER_2_BYTES) return { kind: 'more' }
  const versionAndCommand = bytes[12] ?? 0
  const family = (bytes[13] ?? 0) >> 4
  const addressBytes = bytes.readUInt16BE(14)
  const length = HEADER_2_BYTES + addressBytes
  if (versionAndCommand >> 4 !== 2 || (versionAndCommand & 0x0f) > 1) return bad('an unknown version or command')
  if (length > MAX_LENGTH_2) return bad('it is over 4 KiB')
  if (bytes.byteLength < length) return { kind: 'more' }
  const local = (versionAndCommand & 0x0f) === 0
  if (local || family === 0 || family === 3) return { kind: 'preface', length, source: undefined }
  if (family === 1 && addressBytes >= 12) return { kind: 'preface', length, source: [...bytes.subarray(16, 20)].join('.') }
  if (family === 2 && addressBytes >= 36) return { kind: 'preface', length, source: ipv6(bytes.subarray(16, 32)) }
  return bad('a family or length that do not fit')
}

function ipv6(bytes: Buffer): string {
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16)).join(':')
}

function bad(why: string): ProxyPreface {
  return { kind: 'bad', why }
}
