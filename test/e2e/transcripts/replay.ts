/** A recorded exchange through the real gateway: a server that answers with its bytes, a client that sends its request, and what that client got. */
import { connect, type Socket } from 'node:net'
import { createBalancer, type Balancer } from '@plimsoll/core'
import { plugin as llamacpp } from '@plimsoll/plugin-llamacpp'
import { recordedExchange, startRawServer, type RawServer, type RecordedExchange } from '@plimsoll/testkit'

export interface Received {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  /** Without its chunk framing. */
  readonly body: Buffer
  /** False where the connection ended before the answer did. */
  readonly whole: boolean
}

/** All that was recorded; the plugin's own tests use some of it. */
export const recordings = new URL('../../../packages/plugin-llamacpp/src/fixtures/', import.meta.url)

export function transcript(name: string): RecordedExchange {
  return recordedExchange(new URL(`${name}.http`, recordings))
}

/** What the recorded server is asked besides, by probes and load. */
const background: Readonly<Record<string, string>> = {
  '/health': 'health-ready',
  '/v1/models': 'v1-models',
  '/props': 'props',
  '/metrics': 'metrics-idle',
  '/slots': 'slots-idle',
  '/lora-adapters': 'lora-adapters-none',
}

/** One gateway in front of one replaying llama-server. */
export class Replay {
  private current: RecordedExchange | undefined
  /** What reached the engine for the exchange under test. */
  reached: string[] = []

  private constructor(
    private readonly balancer: Balancer,
    private readonly gatewayPort: number,
    private server: RawServer | undefined,
  ) {}

  static async start(models: readonly string[]): Promise<Replay> {
    let replay: Replay | undefined
    const server = await startRawServer((socket, request) => {
      const [method = '', path = ''] = request.split(' ')
      const other = method === 'GET' ? background[path] : undefined
      if (other !== undefined) socket.end(transcript(other).answer)
      else replay?.answer(socket, request)
    })
    const balancer = createBalancer({
      topology: {
        name: 'replay',
        pools: {
          replay: {
            models: [...models],
            retries: { max: 0 },
            continuation: 'off',
            timeouts: { firstToken: '700ms', idle: '700ms' },
            nodes: [{ name: 'llama', engine: 'llamacpp', attach: server.url }],
          },
        },
      },
      engines: [llamacpp],
    })
    await balancer.start()
    const url = await balancer.listen({ host: '127.0.0.1', port: 0 })
    replay = new Replay(balancer, Number(new URL(url).port), server)
    return replay
  }

  private answer(socket: Socket, request: string): void {
    const exchange = this.current
    this.reached.push(request)
    for (const piece of pieces(exchange?.answer ?? Buffer.alloc(0))) socket.write(piece)
    // What ended by a client's patience is a server that says no more.
    if (exchange?.ended.startsWith('server closed') !== false) socket.end()
  }

  /** Sends the recorded request to the gateway as its client did, but for the key, which is the gateway's affair. */
  async play(name: string): Promise<Received> {
    const exchange = transcript(name)
    this.current = exchange
    this.reached = []
    const { host: _host, authorization: _key, 'content-length': _length, ...headers } = exchange.requestHeaders
    const lines = Object.entries({ ...headers, 'content-length': String(exchange.requestBody.byteLength) }).map(
      ([key, value]) => `${key}: ${value}\r\n`,
    )
    const head = `${exchange.method} ${exchange.path} HTTP/1.1\r\nhost: gateway\r\n${lines.join('')}\r\n`
    return received(await exchanged(this.gatewayPort, Buffer.concat([Buffer.from(head), exchange.requestBody])))
  }

  async close(): Promise<void> {
    await this.balancer.close({ force: true })
    await this.server?.close()
  }
}

/** As sockets cut: anywhere, also inside a chunk's size and inside a character. */
function* pieces(bytes: Buffer): Generator<Buffer> {
  for (let from = 0, step = 1; from < bytes.byteLength; from += step, step = (step * 7 + 13) % 1500 || 1)
    yield bytes.subarray(from, from + step)
}

function exchanged(port: number, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = []
    const socket = connect(port, '127.0.0.1', () => void socket.write(request))
    socket.on('data', (part: Buffer) => parts.push(part))
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? resolve(Buffer.concat(parts)) : reject(error)))
    socket.on('close', () => resolve(Buffer.concat(parts)))
    socket.setTimeout(15_000, () => socket.destroy(new Error('the gateway kept its client waiting')))
  })
}

/** Reads an answer strictly by its own framing. */
export function received(bytes: Buffer): Received {
  const end = bytes.indexOf('\r\n\r\n')
  const [first = '', ...lines] = bytes.toString('latin1', 0, Math.max(end, 0)).split('\r\n')
  const headers = Object.fromEntries(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const status = Number(first.split(' ')[1])
  const body = bytes.subarray(end + 4)
  if (headers['transfer-encoding'] === 'chunked') return { status, headers, ...dechunked(body) }
  const length = headers['content-length']
  return { status, headers, body, whole: length === undefined || body.byteLength === Number(length) }
}

function dechunked(body: Buffer): { body: Buffer; whole: boolean } {
  const parts: Buffer[] = []
  for (let at = 0; ;) {
    const line = body.indexOf('\r\n', at)
    const size = line < 0 ? Number.NaN : Number.parseInt(body.toString('latin1', at, line), 16)
    if (size === 0) return { body: Buffer.concat(parts), whole: true }
    if (Number.isNaN(size)) return { body: Buffer.concat(parts), whole: false }
    const part = body.subarray(line + 2, line + 2 + size)
    parts.push(part)
    if (part.byteLength < size) return { body: Buffer.concat(parts), whole: false }
    at = line + 2 + size + 2
  }
}
