import type { Clock } from '../base/index.js'
import type { Backend, CacheEvent, Logger } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { CacheLedger, type Belief } from '../insight/index.js'

const FIRST_BACK_OFF_MS = 1_000
const MOST_BACK_OFF_MS = 60_000

/** A node whose engine may tell of its cache. */
export interface WatchedNode {
  readonly id: string
  readonly index: number
  readonly incarnation: number
  readonly backend: Pick<Backend, 'cacheEvents'> | undefined
}

export interface CacheWatchOptions {
  readonly clock: Clock
  readonly log: Logger
  readonly belief: Belief
}

/** Listens to the cache events of every engine that has them, one life of a node after the other. */
export class CacheWatch {
  private readonly watched = new Map<string, { readonly life: string; readonly end: AbortController }>()

  constructor(private readonly options: CacheWatchOptions) {}

  /** These are the nodes now. */
  sync(nodes: readonly WatchedNode[]): void {
    const current = new Map(nodes.flatMap((node) => (node.backend?.cacheEvents === undefined ? [] : [[node.id, node] as const])))
    for (const [id, { life, end }] of this.watched) {
      const node = current.get(id)
      if (node !== undefined && lifeOf(node) === life) continue
      end.abort()
      this.watched.delete(id)
    }
    for (const node of current.values()) if (!this.watched.has(node.id)) this.watch(node)
  }

  stop(): void {
    this.sync([])
  }

  private watch(node: WatchedNode): void {
    const end = new AbortController()
    this.watched.set(node.id, { life: lifeOf(node), end })
    void this.listen(node, end.signal)
  }

  /** Until the node's life ends. An engine that fails is asked again, after longer and longer waits. */
  private async listen(node: WatchedNode, signal: AbortSignal): Promise<void> {
    const { belief, log, clock } = this.options
    const { index } = node
    const ledger = new CacheLedger({
      mirror: () => belief.mirrorOf(index),
      clearCache: () => belief.clearCache(index),
      learnCapacity: (tokens) => belief.learnCapacity(index, tokens),
    })
    let waitMs = FIRST_BACK_OFF_MS
    while (!signal.aborted) {
      const failure = await heard(node, signal, (event) => {
        waitMs = FIRST_BACK_OFF_MS
        ledger.take(event)
      })
      if (isAborted(signal)) return
      log.warn('node.cache_events_failed', { node: node.id, why: failure, againInMs: waitMs })
      ledger.lost()
      await pause(clock, waitMs, signal)
      waitMs = Math.min(MOST_BACK_OFF_MS, 2 * waitMs)
    }
  }
}

/** Hands on every event; resolves with why there are no more. */
async function heard(node: WatchedNode, signal: AbortSignal, take: (event: CacheEvent) => void): Promise<string> {
  try {
    for await (const event of node.backend?.cacheEvents?.(signal) ?? []) {
      if (signal.aborted) return 'the node has left'
      take(event)
    }
    return 'its events ended'
  } catch (error) {
    return messageOf(error)
  }
}

function isAborted(signal: AbortSignal): boolean {
  return signal.aborted
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve)
    signal.addEventListener(
      'abort',
      () => {
        timer.cancel()
        resolve()
      },
      { once: true },
    )
  })
}

function lifeOf({ index, incarnation }: WatchedNode): string {
  return `${index} ${incarnation}`
}
