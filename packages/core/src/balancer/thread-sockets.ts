import type { Listenable } from './listeners.js'
import type { SharedSocket } from './shared-socket.js'

/** What data threads listen on: a duplicate of each socket for every one that is started; unix sockets, which are bound by path, belong to the first thread. */
export class ThreadSockets {
  private readonly sockets: { readonly url: string; readonly spare: number[] }[] = []
  private readonly paths: string[] = []

  add(sockets: readonly SharedSocket[], paths: readonly string[]): void {
    for (const { fds, url } of sockets) this.sockets.push({ url, spare: [...fds] })
    this.paths.push(...paths)
  }

  /** Undefined: no duplicate is left. */
  take(thread: number): Listenable[] | undefined {
    const listen: Listenable[] = []
    for (const { url, spare } of this.sockets) {
      const fd = spare.shift()
      if (fd === undefined) return undefined
      listen.push({ fd, url })
    }
    return thread === 1 ? [...listen, ...this.paths.map((path) => ({ path }))] : listen
  }
}
