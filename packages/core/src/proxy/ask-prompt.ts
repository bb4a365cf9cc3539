import type { RosterNode } from '../contracts/index.js'
import { spliceBody } from '../dialects/index.js'
import type { FrameVerdict, ResponseHead, UpstreamError, UpstreamEvents } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { orderFor } from './order-for.js'
import type { ProxyContext } from './proxy-context.js'
import type { ResumedAnswer } from './resumed-answer.js'

/** A prompt of a million tokens is some megabytes. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024

interface Asking {
  readonly node: RosterNode
  /** Hears what goes wrong, and of the client that leaves. */
  readonly rest: ResumedAnswer
  readonly done: (prompt: string) => void
}

/** Asks a node how it puts the conversation before its model, as text: the delivered ids stand behind that. */
export function askPrompt(context: ProxyContext, request: Admitted, { node, rest, done }: Asking): void {
  const { path = '', field = '' } = node.dialect.continuation?.exact?.[request.face]?.render ?? {}
  const body = spliceBody(request.scan, node.model, false)
  const order = orderFor(request, node, { body, path })
  const answer = new RenderedPrompt(field, rest, done)
  rest.began(context.upstream.dispatch(order, answer))
}

class RenderedPrompt implements UpstreamEvents {
  readonly takesFrames = false
  private readonly parts: Buffer[] = []
  private byteLength = 0

  constructor(
    private readonly field: string,
    private readonly rest: ResumedAnswer,
    private readonly done: (prompt: string) => void,
  ) {}

  onHead(head: ResponseHead): void {
    if (head.status !== 200) this.fail(`it answered ${head.status} where its prompt was asked for`)
  }

  onFrame(): FrameVerdict {
    return 'decode'
  }

  onFrames(): void {}

  onBody(bytes: Buffer): void {
    this.byteLength += bytes.byteLength
    if (this.byteLength > MAX_ANSWER_BYTES) return this.fail('its prompt is longer than 16 MiB')
    this.parts.push(Buffer.from(bytes))
  }

  onReadEnd(): void {}

  onEnd(): void {
    const prompt = textIn(Buffer.concat(this.parts), this.field)
    if (prompt === undefined) this.fail('it did not say what its prompt is')
    else if (!this.rest.isOver) this.done(prompt)
  }

  onError(error: UpstreamError): void {
    this.rest.onError(error)
  }

  private fail(why: string): void {
    this.rest.giveUp(why)
  }
}

function textIn(body: Buffer, field: string): string | undefined {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    const text = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[field] : undefined
    return typeof text === 'string' ? text : undefined
  } catch {
    return undefined
  }
}
