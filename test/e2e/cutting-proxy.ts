/** A TCP proxy in front of one engine that breaks chosen answers at a chosen byte. It reads no framing: what it does to an answer, a network can do. */
import type { Socket } from 'node:net'
import { CutPoint, type Cut } from './cut-point.js'
import { TcpProxy, type SocketPair } from './tcp-proxy.js'

/** Cuts by `x-request-id`; each try of a request uses up one. Shared by the proxies of a pool. */
export class CutPlan {
  private readonly cuts = new Map<string, Cut[]>()
  /** Requests whose answers were cut, in order, once for each cut. */
  readonly made: string[] = []

  set(requestId: string, ...cuts: readonly Cut[]): void {
    this.cuts.set(requestId, [...cuts])
  }

  take(requestId: string): Cut | undefined {
    return this.cuts.get(requestId)?.shift()
  }
}

export function startCuttingProxy(enginePort: number, plan: CutPlan): Promise<TcpProxy> {
  return TcpProxy.start(enginePort, (pair) => carry(pair, plan))
}

function carry({ client, engine }: SocketPair, plan: CutPlan): void {
  const exchange = new CutExchange(plan)
  client.on('data', (bytes: Buffer) => {
    exchange.asked(bytes)
    engine.write(bytes)
  })
  engine.on('data', (bytes: Buffer) => {
    const sent = exchange.answered(bytes)
    if (sent === undefined) {
      client.write(bytes)
      return
    }
    // What becomes of the client's side is the cut's affair now.
    engine.removeAllListeners('close').destroy()
    breakOff(client, bytes.subarray(0, sent), exchange.how)
  })
  client.on('end', () => engine.end())
  engine.on('end', () => client.end())
}

/** One connection carries one request at a time: bytes of a client behind those of an answer begin the next one. */
class CutExchange {
  private head = ''
  private point: CutPoint | undefined
  private requestId = ''
  private isAnswering = false
  how: Cut['how'] = 'end'

  constructor(private readonly plan: CutPlan) {}

  asked(bytes: Buffer): void {
    if (this.isAnswering) {
      this.head = ''
      this.isAnswering = false
    }
    if (this.head.includes('\r\n\r\n')) return
    this.head += bytes.toString('latin1')
    if (!this.head.includes('\r\n\r\n')) return
    this.requestId = /^x-request-id: *(\S+)/im.exec(this.head)?.[1] ?? ''
    const cut = this.plan.take(this.requestId)
    this.how = cut?.how ?? 'end'
    this.point = cut === undefined ? undefined : new CutPoint(cut)
  }

  /** How many of these bytes go out before the answer breaks off; undefined: all, and it goes on. */
  answered(bytes: Buffer): number | undefined {
    this.isAnswering = true
    const sent = this.point?.find(bytes)
    if (sent === undefined) return undefined
    this.point = undefined
    this.plan.made.push(this.requestId)
    return sent
  }
}

function breakOff(client: Socket, last: Buffer, how: Cut['how']): void {
  if (how === 'freeze') return void client.write(last)
  if (how === 'end') return void client.end(last)
  // Behind the write, or the reset would take its bytes with it.
  client.write(last, () => setTimeout(() => client.resetAndDestroy(), 5))
}
