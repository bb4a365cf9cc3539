import type { GatewayPlan } from '../topology/index.js'
import type { Assembly } from './assembly.js'
import type { SharedSocket } from './shared-socket.js'
import { servedUrl, type Listenable } from './listeners.js'

/** Where clients come in. */
export class Doors {
  /** Base URLs of what is open, in the order in which they were opened. */
  readonly urls: string[] = []

  constructor(private readonly onOpen: (url: string) => void) {}

  async open(listenable: Listenable, { dataPath }: Assembly, gateway: GatewayPlan): Promise<string> {
    const url = await dataPath.listeners.open(listenable, gateway)
    this.opened(url)
    return url
  }

  /** Sockets that another process opened. */
  async openShared(
    { sockets, unixPaths }: { readonly sockets: readonly SharedSocket[]; readonly unixPaths: readonly string[] },
    assembly: Assembly,
    gateway: GatewayPlan,
  ): Promise<void> {
    if (assembly.threads === undefined) {
      for (const { fds, url } of sockets) await this.open({ fd: fds[0] ?? -1, url }, assembly, gateway)
      for (const path of unixPaths) await this.open({ path }, assembly, gateway)
      return
    }
    await assembly.threads.open(sockets, unixPaths)
    for (const { url } of sockets) this.opened(servedUrl(url, gateway))
    for (const path of unixPaths) this.opened(`unix:${path}`)
  }

  private opened(url: string): void {
    this.urls.push(url)
    this.onOpen(url)
  }
}
