import type { Clock, TimerHandle } from '../base/index.js'
import type { UpstreamSocket } from './upstream-socket.js'

interface Idle {
  readonly socket: UpstreamSocket
  readonly timer: TimerHandle
}

/** Idle connections by key, last in first out: the warmest is used again, the coldest ages out before the engine closes it. */
export class SocketPool {
  private readonly idle = new Map<string, Idle[]>()

  constructor(
    private readonly clock: Clock,
    private readonly idleMs: number,
  ) {}

  take(key: string): UpstreamSocket | undefined {
    const found = this.idle.get(key)?.pop()
    if (found === undefined) return undefined
    found.timer.cancel()
    found.socket.setIdle(false)
    return found.socket
  }

  give(key: string, socket: UpstreamSocket): void {
    const list = this.idle.get(key) ?? []
    this.idle.set(key, list)
    const entry: Idle = { socket, timer: this.clock.after(this.idleMs, () => this.remove(key, entry)) }
    list.push(entry)
    socket.setIdle(true)
    socket.hold({ onConnect() {}, onBytes: () => this.remove(key, entry), onClose: () => this.remove(key, entry) })
  }

  /** Drops what idles under a key, or everything. */
  drop(key?: string): void {
    for (const [name, entries] of this.idle) {
      if (key !== undefined && name !== key) continue
      for (const entry of entries.slice()) this.remove(name, entry)
    }
  }

  get size(): number {
    let count = 0
    for (const entries of this.idle.values()) count += entries.length
    return count
  }

  /** Bytes on an idle connection answer nothing that was asked: the connection is worthless. */
  private remove(key: string, entry: Idle): void {
    entry.timer.cancel()
    entry.socket.drop()
    const list = this.idle.get(key)
    const index = list?.indexOf(entry) ?? -1
    if (index !== -1) list?.splice(index, 1)
    if (list?.length === 0) this.idle.delete(key)
  }
}
