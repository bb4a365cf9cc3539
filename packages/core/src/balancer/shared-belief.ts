import type { Worker } from 'node:worker_threads'
import type { Clock } from '../base/index.js'
import type { LoadFacts } from '../contracts/index.js'
import type { Belief } from '../insight/index.js'
import { BeliefPost } from './belief-post.js'
import type { ToThread } from './thread-messages.js'

interface Listener {
  readonly thread: number
  readonly worker: Worker
}

/** The main thread's part in the belief that all threads share: hears each of them and tells the others. */
export class SharedBelief {
  private readonly post: BeliefPost
  private loads = new Map<number, LoadFacts>()
  /** By row; one for each that there ever was. */
  private readonly lastLoads = new Map<number, LoadFacts>()
  private listeners: () => readonly Listener[] = () => []

  constructor(
    clock: Clock,
    private readonly belief: () => Belief,
  ) {
    this.post = new BeliefPost(clock, () => this.send())
  }

  /** The main thread itself has something to tell. */
  readonly gather = (): void => this.post.gather()

  /** Whom to tell. */
  use(listeners: () => readonly Listener[]): void {
    this.listeners = listeners
  }

  /** What an engine said of its load. */
  learnLoad(index: number, facts: LoadFacts): void {
    this.belief().learnLoad(index, facts)
    this.loads.set(index, facts)
    this.lastLoads.set(index, facts)
    this.gather()
  }

  /** Tells a new thread what it missed. */
  greet(worker: Worker): void {
    worker.postMessage({ type: 'loads', loads: this.lastLoads } satisfies ToThread)
    worker.postMessage({ type: 'belief', thread: 0, news: this.belief().snapshot() } satisfies ToThread)
  }

  heard(thread: number, news: Float64Array): void {
    this.belief().hear(news, thread)
    this.tell({ type: 'belief', thread, news }, thread)
  }

  /** What the dead one had in flight is lost; its claims and promises are not kept. */
  died(thread: number): void {
    this.belief().clearThread(thread)
    this.tell({ type: 'thread-died', thread }, thread)
  }

  private send(): void {
    const news = this.belief().takeNews()
    if (news.length > 0) this.tell({ type: 'belief', thread: 0, news })
    if (this.loads.size > 0) this.tell({ type: 'loads', loads: this.loads })
    this.loads = new Map()
  }

  private tell(message: ToThread, except?: number): void {
    for (const { thread, worker } of this.listeners()) if (thread !== except) worker.postMessage(message)
  }
}
