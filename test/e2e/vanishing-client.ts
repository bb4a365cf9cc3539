/** A client that asks on a socket of its own and vanishes when it is told to. */
import { connect, type Socket } from 'node:net'

export interface Question {
  readonly model: string
  readonly content: string
  readonly stream: boolean
  /** Sends only so much of the body. */
  readonly bodyShare?: number
}

export class VanishingClient {
  heard = ''
  /** When it vanished. */
  leftAtMs = 0
  private readonly socket: Socket

  constructor(url: string, { model, content, stream, bodyShare = 1 }: Question) {
    const { hostname, port } = new URL(url)
    const body = JSON.stringify({ model, stream, max_tokens: 500, messages: [{ role: 'user', content }] })
    const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: lb\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`
    this.socket = connect(Number(port), hostname)
    this.socket.setEncoding('latin1').on('data', (text: string) => (this.heard += text))
    this.socket.on('error', () => undefined)
    this.socket.write(head + body.slice(0, Math.floor(body.length * bodyShare)))
  }

  /** Content events that it has had. */
  get pieces(): number {
    return this.heard.split('"word ').length - 1
  }

  vanish(): void {
    this.leftAtMs = performance.now()
    this.socket.destroy()
  }
}
