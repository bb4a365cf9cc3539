import type { IncomingMessage } from 'node:http'
import { Refusal } from './refusal.js'

const maxBodyBytes = 64 * 1024 * 1024

/** The whole body as text. Refuses with 413 over 64 MiB. */
export function readBody(request: IncomingMessage): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const chunks: Buffer[] = []
  let bytes = 0
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes > maxBodyBytes) reject(new Refusal(413, 'the body is larger than 64 MiB'))
    else chunks.push(chunk)
  })
  request.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
  request.on('error', reject)
  return promise
}
