import { leanHttp } from '../base/index.js'

/** The reason phrase of a status line; empty for a status without one. */
export function reasonPhrase(status: number): string {
  return leanHttp.STATUS_CODES[status] ?? ''
}

let dateText = ''
let dateSecond = 0

/** The Date header's value (RFC 9110 section 5.6.7), made anew once a second. */
export function httpDate(): string {
  const nowMs = Date.now()
  const second = Math.floor(nowMs / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = new Date(nowMs).toUTCString()
  }
  return dateText
}

/** The bytes as a string of as many characters. */
export function latin1(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('latin1')
}
