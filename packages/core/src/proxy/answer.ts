import type { Clock } from '../base/index.js'
import type { RosterNode, Usage } from '../contracts/index.js'
import { errorEvent } from '../dialects/index.js'
import { LbError } from '../errors/index.js'
import { allowedResponseHeaders, type ResponseHead, type UpstreamCall, type UpstreamError, type UpstreamEvents } from '../wire/index.js'
import type { Admitted } from './admit.js'
import { createBodyReader, type BodyReader } from './body-reader.js'
import type { AttemptEnd } from './forward.js'

/** Most bytes held back while another node could still be asked. */
const MAX_HELD_BYTES = 65_536
/** A refusal's text, for the dialect's judgement. */
const JUDGED_BYTES = 2_048

export interface AnswerOptions {
  readonly request: Admitted
  readonly node: RosterNode
  readonly attempt: number
  readonly clock: Clock
  readonly onFirstContent: () => void
  readonly onOver: (end: AttemptEnd) => void
}

/**
 * One engine's answer on its way to the client. Head and bytes are held until the first content of a stream or the end of a plain body (at most
 * 64 KiB): until then the client has seen nothing and the request can move.
 */
export class Answer implements UpstreamEvents {
  private call: UpstreamCall | undefined
  private head: ResponseHead | undefined
  private reader: BodyReader | undefined
  private held: Uint8Array[] = []
  private heldBytes = 0
  private committed = false
  private over = false
  private firstContentAtMs: number | undefined

  constructor(private readonly options: AnswerOptions) {}

  /** The call exists only after dispatch; the client may have left before. */
  began(call: UpstreamCall): void {
    this.call = call
    if (this.over) return call.abort()
    const { exchange } = this.options.request
    exchange.onDrain(() => {
      if (!this.over) call.resume()
    })
    exchange.onGone(() => {
      if (this.over) return
      call.abort()
      this.finish({ outcome: 'cancelled', movable: false })
    })
  }

  onHead(head: ResponseHead): void {
    this.head = head
    const stream = this.options.request.scan.stream && (head.headers['content-type'] ?? '').includes('text/event-stream')
    this.reader = createBodyReader(stream, !this.options.request.scan.includeUsage)
  }

  onBody(bytes: Buffer): void {
    const { reader } = this
    if (reader === undefined || this.over) return
    // A copy: the socket's buffer is shared, and the client may read slowly.
    this.pass(reader.read(Buffer.from(bytes)))
    if (reader.hasContent && this.firstContentAtMs === undefined) this.sawContent()
    if (!this.committed && (this.mayCommit(reader) || this.heldBytes > MAX_HELD_BYTES)) this.commit()
  }

  onEnd(): void {
    if (this.over || this.head === undefined) return
    this.pass(this.reader?.finish() ?? [])
    const verdict = this.options.node.dialect.classify(this.head.status, this.head.headers, this.judgedText())
    const refused = verdict === 'retry' || verdict === 'loading' || verdict === 'death' || verdict === 'cooldown'
    if (refused && !this.committed) return this.refuse(verdict)
    const streamEnd =
      this.reader?.isStream === true && verdict === 'ok' ? this.options.node.dialect.streamEnd(this.reader.tail) : 'complete'
    if (streamEnd === 'cut') return this.broke('cut', 'the stream ended without its end mark')
    this.sawContent()
    this.commit()
    this.options.request.exchange.end()
    this.finish({ outcome: 'answered', movable: false })
  }

  onError(error: UpstreamError): void {
    if (this.over) return
    const outcome = error.kind === 'connect' ? 'connect-failed' : error.kind === 'timeout' ? 'timeout' : 'reset'
    this.broke(outcome, error.message)
  }

  /** An engine's error object is an answer to this request; it goes out as soon as it is there, like content. */
  private mayCommit(reader: BodyReader): boolean {
    return reader.isStream && (reader.hasContent || reader.hasError)
  }

  private judgedText(): string {
    return this.committed ? '' : Buffer.concat(this.held).toString('utf8', 0, JUDGED_BYTES)
  }

  private pass(parts: readonly Uint8Array[]): void {
    for (const part of parts) {
      if (this.committed) {
        if (!this.options.request.exchange.write(part)) this.call?.pause()
      } else {
        this.held.push(part)
        this.heldBytes += part.byteLength
      }
    }
  }

  private sawContent(): void {
    if (this.firstContentAtMs !== undefined) return
    this.firstContentAtMs = this.options.clock.nowMs()
    this.options.onFirstContent()
  }

  private commit(): void {
    if (this.committed || this.head === undefined) return
    const { request, node, attempt } = this.options
    const whole = this.reader?.isStream !== true && this.reader?.ended === true
    request.exchange.respond({
      status: this.head.status,
      headers: {
        ...allowedResponseHeaders(this.head.headers),
        ...(whole ? { 'content-length': String(this.heldBytes) } : {}),
        'x-request-id': request.requestId,
        'x-lb-node': node.id,
        'x-lb-attempts': String(attempt),
      },
    })
    this.committed = true
    const held = this.held
    this.held = []
    this.pass(held)
  }

  private refuse(verdict: string): void {
    const passOn = (): void => {
      this.commit()
      this.options.request.exchange.end()
    }
    this.finish({ outcome: 'refused', reason: `${this.head?.status ?? 0} (${verdict})`, movable: true, passOn })
  }

  /** The engine went away. Before anything was shown, another node may be asked; after it, the client is told the truth. */
  private broke(outcome: AttemptEnd['outcome'], reason: string): void {
    if (!this.committed) return this.finish({ outcome, reason, movable: true })
    const { exchange, requestId } = this.options.request
    if (this.reader?.isStream === true) {
      const error = new LbError(`the node that answered went away in mid-stream: ${reason}`, {
        code: 'LB_STREAM_CUT',
        source: 'engine',
        httpStatus: 502,
      })
      exchange.write(Buffer.from(errorEvent(error, requestId)))
      exchange.end()
    } else exchange.abort()
    this.finish({ outcome: 'cut', reason, movable: false })
  }

  private finish(end: Pick<AttemptEnd, 'outcome' | 'reason' | 'movable' | 'passOn'>): void {
    if (this.over) return
    this.over = true
    const usage: Usage | undefined = this.reader?.usage
    this.options.onOver({
      ...end,
      contentEvents: this.reader?.contentEvents ?? 0,
      ...(this.head === undefined ? {} : { status: this.head.status }),
      ...(usage === undefined ? {} : { usage }),
      ...(this.firstContentAtMs === undefined ? {} : { firstContentAtMs: this.firstContentAtMs }),
    })
  }
}
