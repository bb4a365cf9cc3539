import type { AnswerHead, Exchange } from '../../wire/index.js'
import type { Admitted } from '../admit.js'
import type { OpenDelivery } from '../proxy-context.js'

/**
 * One client, and several answers on their way to it. The first that has something to say owns it from then on; to the others it looks as if the client had
 * left, so that each lets go of its engine as it always does.
 */
export class Race {
  private owner: Lane | undefined
  private readonly lanes: Lane[] = []

  constructor(private readonly request: Admitted) {}

  /** One more answer. */
  enter(): Lane {
    const lane: Lane = new Lane(this.request, () => this.claim(lane))
    this.lanes.push(lane)
    const { exchange } = this.request
    exchange.onGone(() => {
      for (const each of this.lanes) each.leave()
    })
    exchange.onDrain(() => {
      for (const each of this.lanes) each.drained()
    })
    return lane
  }

  private claim(lane: Lane): boolean {
    if (this.owner !== undefined) return this.owner === lane
    this.owner = lane
    for (const other of this.lanes)
      if (other !== lane) {
        other.isBeaten = true
        other.leave()
      }
    return true
  }
}

/** The client as one of several answers sees it. */
export class Lane {
  /** Another one was first. */
  isBeaten = false
  readonly request: Admitted
  private onGone: (() => void) | undefined
  private onDrain: (() => void) | undefined
  private gone = false

  constructor(request: Admitted, claim: () => boolean) {
    this.request = { ...request, exchange: this.exchangeOf(request.exchange), delivery: deliveryOf(request.delivery, claim) }
  }

  /** The client is gone, as far as this answer is concerned. */
  leave(): void {
    if (this.gone) return
    this.gone = true
    this.onGone?.()
  }

  drained(): void {
    this.onDrain?.()
  }

  private exchangeOf(exchange: Exchange): Exchange {
    return {
      head: exchange.head,
      peer: exchange.peer,
      get takesFrames() {
        return exchange.takesFrames
      },
      get committed() {
        return exchange.committed
      },
      readBody: (limitBytes, watch) => exchange.readBody(limitBytes, watch),
      respond: (head) => exchange.respond(head),
      write: (bytes) => exchange.write(bytes),
      writeFrames: (frames, last) => exchange.writeFrames(frames, last),
      end: (bytes) => exchange.end(bytes),
      abort: () => exchange.abort(),
      onDrain: (callback) => {
        this.onDrain = callback
      },
      onGone: (callback) => {
        this.onGone = callback
        if (this.gone) callback()
      },
    }
  }
}

/** Whoever says something first is the one who speaks. */
function deliveryOf(delivery: OpenDelivery, claim: () => boolean): OpenDelivery {
  return {
    get atBoundary() {
      return delivery.atBoundary
    },
    set atBoundary(value) {
      delivery.atBoundary = value
    },
    get waitsFor() {
      return delivery.waitsFor
    },
    set waitsFor(value) {
      delivery.waitsFor = value
    },
    get started() {
      return delivery.started
    },
    get takesFrames() {
      return delivery.takesFrames
    },
    startHeartbeats: (heartbeatMs, pace) => delivery.startHeartbeats(heartbeatMs, pace),
    commit: (head: AnswerHead, stream: boolean) => {
      if (claim()) delivery.commit(head, stream)
    },
    write: (bytes) => (claim() ? delivery.write(bytes) : true),
    writeFrames: (frames, last) => (claim() ? delivery.writeFrames(frames, last) : true),
    end: (bytes) => {
      if (claim()) delivery.end(bytes)
    },
    close: () => delivery.close(),
    fail: (error, headers) => {
      if (claim()) delivery.fail(error, headers)
    },
  }
}
