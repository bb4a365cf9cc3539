import type { Lease, RosterNode } from '../../contracts/index.js'
import { oneTokenBody, scanRequest } from '../../dialects/index.js'
import type { FrameVerdict, ResponseHead, UpstreamCall, UpstreamEvents, UpstreamRequest } from '../../wire/index.js'
import { AdmittedFacts } from '../admitted-facts.js'
import { PlainReader } from '../body-reader.js'
import type { ProxyContext } from '../proxy-context.js'
import type { HotPrompt } from './hot-prompt.js'

export interface OneTokenOrder {
  readonly node: RosterNode
  readonly prompt: HotPrompt
  /** Names it at the engine. */
  readonly id: string
  readonly withinMs: number
  readonly onEnd: (computed: boolean) => void
}

/** One prompt at one node for one token, which nobody gets. The belief hears of it, as of any request: its blocks are in the node's cache then. */
export class OneTokenCall implements UpstreamEvents {
  readonly takesFrames = false
  private readonly lease: Lease
  isOver = false
  private readonly reader = new PlainReader(undefined)
  private call: UpstreamCall | undefined
  private status = 0

  constructor(
    context: Pick<ProxyContext, 'leases' | 'upstream'>,
    private readonly order: OneTokenOrder,
  ) {
    const { node, prompt, id, withinMs } = order
    this.lease = context.leases.open(node, factsOf(prompt, id))
    const timeouts = { connectMs: withinMs, firstTokenMs: withinMs, idleMs: withinMs }
    try {
      this.call = context.upstream.dispatch({ key: node.connectionKey, target: node.target, request: requestOf(order), timeouts }, this)
    } catch (bug) {
      this.isOver = true
      this.lease.settle()
      throw bug
    }
    if (this.isOver) this.call.abort()
  }

  /** Nobody waits for it any more. `onEnd` is not called. */
  giveUp(): void {
    if (this.isOver) return
    this.isOver = true
    this.call?.abort()
    this.lease.settle({ outcome: 'cancelled' })
  }

  onHead({ status }: ResponseHead): void {
    this.status = status
  }

  onFrame(): FrameVerdict {
    return 'decode'
  }

  onFrames(): void {}

  onBody(bytes: Buffer): void {
    if (!this.isOver) this.reader.read(bytes)
  }

  onReadEnd(): void {
    this.reader.keep()
  }

  onEnd(): void {
    this.reader.finish()
    this.ended(this.status >= 200 && this.status < 300)
  }

  onError(): void {
    this.ended(false)
  }

  private ended(computed: boolean): void {
    if (this.isOver) return
    this.isOver = true
    this.lease.settle(computed ? { outcome: 'answered', usage: this.reader.usage, outputTokens: 1 } : { outcome: 'failed' })
    this.order.onEnd(computed)
  }
}

function requestOf({ node, prompt, id }: OneTokenOrder): UpstreamRequest {
  const { target, dialect, model, authHeaders } = node
  return {
    method: 'POST',
    path: `${target.basePath}${dialect.paths[prompt.face] ?? ''}`,
    headers: { 'content-type': 'application/json', 'x-request-id': id, ...dialect.headers.set, ...authHeaders },
    body: oneTokenBody(scanRequest(prompt.face, prompt.body), model),
  }
}

function factsOf({ face, model, body, promptTokens, hashes }: HotPrompt, id: string): AdmittedFacts {
  return new AdmittedFacts({
    id,
    face,
    model,
    stream: false,
    bodyBytes: body.byteLength,
    promptTokens,
    outputTokens: 1,
    prefixHashes: hashes,
    session: undefined,
    client: 'lb',
    sloTtftMs: undefined,
  })
}
