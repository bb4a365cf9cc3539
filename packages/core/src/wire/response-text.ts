import { leanHttp } from '../base/index.js'

/** With its end; the reason phrase is empty for a status without one. */
export function statusLine(status: number): string {
  return `HTTP/1.1 ${status} ${leanHttp.STATUS_CODES[status] ?? ''}\r\n`
}

let dateText = ''
let dateSecond = 0

/** The Date header (RFC 9110 section 5.6.7) and the end of the head, made anew once a second. */
export function dateLine(): string {
  const nowMs = Date.now()
  const second = Math.floor(nowMs / 1000)
  if (second !== dateSecond) {
    dateSecond = second
    dateText = ['date: ', new Date(nowMs).toUTCString(), '\r\n\r\n'].join('')
  }
  return dateText
}

/** The bytes as a string of as many characters. */
export function latin1(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return buffer.toString('latin1')
}
