/** The control socket of a balancer that may be killed and started again at any moment: asks anew until somebody is there. */
import { request, type ClientRequest, type IncomingMessage } from 'node:http'
import { pause } from '../e2e/steady-load.js'

export interface ControlEvent {
  readonly atMs: number
  readonly kind: string
  readonly node?: string
  readonly to?: string
  readonly message: string
}

/** An answer of control that is none of the 2xx. */
export class ControlRefusal extends Error {
  constructor(
    readonly status: number,
    readonly body: string,
  ) {
    super(`${status} ${body}`)
  }
}

const AGAIN_MS = 50
const GIVES_UP_MS = 30_000

export class ControlClient {
  private feed: ClientRequest | undefined
  private closed = false

  constructor(private readonly socketPath: string) {}

  /** Asks again while nobody listens, for half a minute. */
  async get<Value>(path: string): Promise<Value> {
    const untilMs = performance.now() + GIVES_UP_MS
    for (;;) {
      try {
        return await this.send<Value>('GET', path)
      } catch (error) {
        if (error instanceof ControlRefusal || performance.now() > untilMs) throw error
        await pause(AGAIN_MS)
      }
    }
  }

  /** Once: what it does must not be done twice. */
  post<Value>(path: string, body: object = {}): Promise<Value> {
    return this.send<Value>('POST', path, JSON.stringify(body))
  }

  /** Every event, those before this call included; `onStart` at each connection that has begun to tell them, and at each that broke. */
  follow(onEvent: (event: ControlEvent) => void, onChange: (isThere: boolean) => void = () => undefined): void {
    const again = (): void => {
      onChange(false)
      if (!this.closed) setTimeout(() => this.follow(onEvent, onChange), AGAIN_MS)
    }
    this.feed = request({ socketPath: this.socketPath, path: '/v1/events' }, (response) => {
      onChange(true)
      let rest = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        const lines = (rest + part).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) onEvent(JSON.parse(line) as ControlEvent)
      })
      response.once('close', again).on('error', () => undefined)
    })
      .once('error', again)
      .end()
  }

  close(): void {
    this.closed = true
    this.feed?.destroy()
  }

  private send<Value>(method: string, path: string, body = ''): Promise<Value> {
    return new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request(
        { socketPath: this.socketPath, method, path, headers },
        (response) => void settle<Value>(response).then(resolve, reject),
      )
      sent.once('error', reject).end(body)
    })
  }
}

async function settle<Value>(response: IncomingMessage): Promise<Value> {
  let text = ''
  for await (const part of response.setEncoding('utf8')) text += String(part)
  const status = response.statusCode ?? 0
  if (status < 200 || status > 299) throw new ControlRefusal(status, text)
  return JSON.parse(text) as Value
}
