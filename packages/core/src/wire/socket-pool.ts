import type { Due, TimerWheel, WheelTimer } from './timer-wheel.js'
import type { SocketHolder, UpstreamSocket } from './upstream-socket.js'

/** A connection without an exchange: any byte on it answers nothing that was asked, so it is worthless then. */
class IdleSocket implements Due, SocketHolder {
  private readonly timer: WheelTimer

  constructor(
    readonly socket: UpstreamSocket,
    private readonly list: IdleSocket[],
    wheel: TimerWheel,
    idleMs: number,
  ) {
    this.timer = wheel.set(this, idleMs)
    list.push(this)
    socket.setIdle(true)
    socket.hold(this)
  }

  /** Out of idleness, into an exchange. */
  wake(): UpstreamSocket {
    this.timer.cancel()
    this.socket.setIdle(false)
    return this.socket
  }

  onDue(): void {
    this.remove()
  }

  onConnect(): void {}

  onBytes(): void {
    this.remove()
  }

  onClose(): void {
    this.remove()
  }

  remove(): void {
    this.timer.cancel()
    this.socket.drop()
    const index = this.list.indexOf(this)
    if (index !== -1) this.list.splice(index, 1)
  }
}

/** Idle connections by key, last in first out: the warmest is used again, the coldest ages out before the engine closes it. */
export class SocketPool {
  private readonly idle = new Map<string, IdleSocket[]>()

  constructor(
    private readonly wheel: TimerWheel,
    private readonly idleMs: number,
  ) {}

  take(key: string): UpstreamSocket | undefined {
    return this.idle.get(key)?.pop()?.wake()
  }

  give(key: string, socket: UpstreamSocket): void {
    let list = this.idle.get(key)
    if (list === undefined) this.idle.set(key, (list = []))
    void new IdleSocket(socket, list, this.wheel, this.idleMs)
  }

  /** Drops what idles under a key, or everything. */
  drop(key?: string): void {
    for (const [name, entries] of this.idle) {
      if (key !== undefined && name !== key) continue
      for (const entry of entries.slice()) entry.remove()
      this.idle.delete(name)
    }
  }

  get size(): number {
    let count = 0
    for (const entries of this.idle.values()) count += entries.length
    return count
  }
}
