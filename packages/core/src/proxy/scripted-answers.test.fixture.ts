/** What scripted engines say, as text. */
import { seededRandom } from '../base/index.js'

export const event = (data: object | string): string => `data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`
export const delta = (content: string): string => event({ choices: [{ index: 0, delta: { content }, finish_reason: null }] })
export const role = event({ choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] })
export const usage = event({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } })
export const done = event('[DONE]')

/** A chunked event stream, or its beginning. */
export const streamHead = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
export const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
export const lastChunk = '0\r\n\r\n'

export const plainAnswer = (status: number, body: object): string => {
  const text = JSON.stringify(body)
  return `HTTP/1.1 ${status} X\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}

/** Cuts a text at random places. */
export function pieces(text: string, seed: number): string[] {
  const random = seededRandom(seed)
  const bytes = Buffer.from(text)
  const parts: string[] = []
  for (let at = 0; at < bytes.byteLength;) {
    const size = 1 + Math.floor(random.next() * 40)
    parts.push(bytes.toString('latin1', at, at + size))
    at += size
  }
  return parts
}
