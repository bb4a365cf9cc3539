import type { Pin } from './pin.js'
import type { PrefixMirror } from './prefix-mirror.js'

/** Blocks that requests of other threads use, by thread and number of the request. */
export class RemoteLeases {
  private readonly threads = new Map<number, Map<number, Pin>>()

  constructor(private readonly mirror: PrefixMirror) {}

  open(thread: number, lease: number, pin: Pin): void {
    let pins = this.threads.get(thread)
    if (pins === undefined) this.threads.set(thread, (pins = new Map()))
    pins.set(lease, pin)
  }

  computed(thread: number, lease: number): void {
    const pin = this.threads.get(thread)?.get(lease)
    if (pin !== undefined) this.mirror.compute(pin, false)
  }

  end(thread: number, lease: number): void {
    const pins = this.threads.get(thread)
    const pin = pins?.get(lease)
    if (pin === undefined) return
    pins?.delete(lease)
    this.mirror.unpin(pin)
  }

  /** The thread is dead: what it had promised is not coming. */
  endAll(thread: number): void {
    for (const pin of this.threads.get(thread)?.values() ?? []) this.mirror.unpin(pin)
    this.threads.delete(thread)
  }
}
