import { isIP } from 'node:net'
import { plainAddress } from './plain-address.js'

/** What stands at the start of a connection from a trusted proxy. */
export type ProxyPreface =
  | { readonly kind: 'none' }
  | { readonly kind: 'more' }
  | { readonly kind: 'bad'; readonly why: string }
  /** `source` is undefined where the proxy speaks for itself, or for a client without an IP address (LOCAL, UNKNOWN, UNIX). */
  | { readonly kind: 'preface'; readonly length: number; readonly source: string | undefined }

const SIGNATURE_1 = Buffer.from('PROXY ', 'latin1')
const MAX_LINE_BYTES = 107
const PORT = /^(?:0|[1-9]\d{0,4})$/

const SIGNATURE_2 = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1')
const HEADER_2_BYTES = 16
const MAX_LENGTH_2 = 4_096
/** Address family, by the high half of byte 13: how many bytes its two addresses with their ports take. */
const ADDRESS_BYTES = [0, 12, 36, 216] as const
const LAST_TRANSPORT = 2

/** Reads the PROXY protocol, versions 1 and 2 (haproxy's doc/proxy-protocol.txt), from the first bytes of a connection. */
export function readProxyPreface(bytes: Buffer): ProxyPreface {
  if (bytes.byteLength === 0) return { kind: 'more' }
  if (begins(bytes, SIGNATURE_2)) return bytes.byteLength < HEADER_2_BYTES ? { kind: 'more' } : readVersion2(bytes)
  if (begins(bytes, SIGNATURE_1)) return readVersion1(bytes)
  return { kind: 'none' }
}

/** True when the bytes are the signature, or its beginning. */
function begins(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.byteLength, signature.byteLength)
  return bytes.compare(signature, 0, length, 0, length) === 0
}

/** `PROXY TCP4 SOURCE TARGET SOURCE-PORT TARGET-PORT` and a line break; after UNKNOWN anything may stand. */
function readVersion1(bytes: Buffer): ProxyPreface {
  const end = bytes.subarray(0, MAX_LINE_BYTES).indexOf('\r\n')
  if (end === -1) return bytes.byteLength >= MAX_LINE_BYTES ? bad('its line is over 107 bytes') : { kind: 'more' }
  const [, family, ...words] = bytes.toString('latin1', 0, end).split(' ')
  const length = end + 2
  if (family === 'UNKNOWN') return { kind: 'preface', length, source: undefined }
  const [source = '', target = '', ...ports] = words
  const kind = { TCP4: 4, TCP6: 6 }[family ?? '']
  const fits = [source, target].every((address) => isIP(address) === kind && !address.includes('%'))
  if (!fits || ports.length !== 2 || !ports.every((port) => PORT.test(port) && Number(port) <= 65_535))
    return bad('its line is not that of version 1')
  return { kind: 'preface', length, source: plainAddress(source) }
}

/** Signature, version and command, family and transport, length; then the addresses, and extensions that nobody here needs. */
function readVersion2(bytes: Buffer): ProxyPreface {
  const version = bytes.readUInt8(12) >> 4
  const command = bytes.readUInt8(12) & 0x0f
  const family = bytes.readUInt8(13) >> 4
  const follows = bytes.readUInt16BE(14)
  const length = HEADER_2_BYTES + follows
  if (version !== 2 || command > 1) return bad('its version or command is unknown')
  if (length > MAX_LENGTH_2) return bad('it is over 4 KiB')
  const local = command === 0
  const addressBytes = ADDRESS_BYTES[family]
  if (!local && (addressBytes === undefined || (bytes.readUInt8(13) & 0x0f) > LAST_TRANSPORT)) return bad('its address family is unknown')
  if (!local && addressBytes !== undefined && follows < addressBytes) return bad('it is too short for its addresses')
  if (bytes.byteLength < length) return { kind: 'more' }
  return { kind: 'preface', length, source: local ? undefined : sourceOf(bytes, family) }
}

function sourceOf(bytes: Buffer, family: number): string | undefined {
  if (family === 1) return bytes.subarray(HEADER_2_BYTES, HEADER_2_BYTES + 4).join('.')
  if (family !== 2) return undefined
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(HEADER_2_BYTES + index * 2).toString(16))
  return plainAddress(groups.join(':'))
}

function bad(why: string): ProxyPreface {
  return { kind: 'bad', why }
}
