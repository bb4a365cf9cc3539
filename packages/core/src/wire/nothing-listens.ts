import { connect } from 'node:net'
import type { UpstreamTarget } from '../contracts/index.js'

const PATIENCE_MS = 1_000

/** Whether connections to a server are refused: its process is gone. A server that is only slow to take them is there. */
export function nothingListens({ socketPath, host, port }: Pick<UpstreamTarget, 'socketPath' | 'host' | 'port'>): Promise<boolean> {
  const socket = socketPath === undefined ? connect({ host, port }) : connect({ path: socketPath })
  return new Promise((resolve) => {
    const told = (isGone: boolean): void => {
      socket.destroy()
      resolve(isGone)
    }
    socket.setTimeout(PATIENCE_MS, () => told(false))
    socket.once('connect', () => told(false))
    socket.on('error', ({ code }: NodeJS.ErrnoException) => told(code === 'ECONNREFUSED' || code === 'ENOENT'))
  })
}
