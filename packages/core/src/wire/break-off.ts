import type { Socket } from 'node:net'

/** Resets a TCP connection; a plain close would look like the end of an answer that ends with its connection. Others know no reset. */
export function breakOff(socket: Socket): void {
  if (socket.remoteAddress === undefined || 'encrypted' in socket) socket.destroy()
  else socket.resetAndDestroy()
}
