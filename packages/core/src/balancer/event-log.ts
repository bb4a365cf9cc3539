import { Emitter, type Clock } from '../base/index.js'
import type { NodeChange, NodeWarmed } from '../nodes/index.js'
import type { Sentence } from '../proxy/index.js'
import type { BalancerEvent } from '../control/index.js'

const KEPT_EVENTS = 200

/** What happened, for people: the newest 200 are kept, each is announced once. */
export class EventLog {
  private readonly kept: BalancerEvent[] = []
  private readonly emitter: Emitter<{ event: BalancerEvent }>

  constructor(
    private readonly clock: Clock,
    onListenerError: (error: unknown) => void,
  ) {
    this.emitter = new Emitter(onListenerError)
  }

  add(event: Omit<BalancerEvent, 'atMs'>): void {
    const complete = { atMs: this.clock.epochMs(), ...event }
    this.kept.push(complete)
    if (this.kept.length > KEPT_EVENTS) this.kept.shift()
    this.emitter.emit('event', complete)
  }

  recent(): readonly BalancerEvent[] {
    return [...this.kept]
  }

  on(listener: (event: BalancerEvent) => void): () => void {
    return this.emitter.on('event', listener)
  }
}

/** A change of a node, for people. */
export function nodeEvent({ node, from, to, reason }: NodeChange): Omit<BalancerEvent, 'atMs'> {
  const message = `${node.id} ${from === to ? 'still' : 'is'} ${to}${reason === null ? '' : `: ${reason}`}`
  return { kind: 'node', node: node.id, from, to, message }
}

/** A new node has computed what is asked most, for people. */
export function warmedEvent({ node, computed, total, tookMs }: NodeWarmed): Omit<BalancerEvent, 'atMs'> {
  const seconds = (tookMs / 1000).toFixed(1)
  return { kind: 'node', node, message: `${node} was warmed with ${computed} of ${total} prompts in ${seconds} s` }
}

/** A request that makes engines crash was found, for people. */
export function quarantineEvent({ fingerprint, nodes }: Sentence): Omit<BalancerEvent, 'atMs'> {
  const message = `a request is in quarantine: ${nodes.join(' and ')} crashed on it; \`lb quarantine lift ${fingerprint}\` lets it through`
  return { kind: 'gateway', message }
}
