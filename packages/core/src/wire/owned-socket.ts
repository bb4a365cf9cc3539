import type { Socket } from 'node:net'

/** What the owner of a socket hears of it. */
export interface SocketOwner {
  /** It is there, with its handshake where it has one. Only for sockets that we open. */
  onOpen?(): void
  /** The other side has said all. */
  onSaidAll(): void
  /** The error's own event; the close follows. */
  onFailure(error: NodeJS.ErrnoException): void
  /** Exactly once, and last. */
  onClosed(): void
  /** There is room for more. Only where it is written to as a stream. */
  onRoom?(): void
  /** The kernel has taken nothing for as long as it may. */
  onStall?(): void
}

const OWNER = Symbol('owner')

interface Owned extends Socket {
  [OWNER]?: SocketOwner
}

/** Tells the owner of its socket's events. The functions are the same for all sockets: one for each event and socket would be 0.6 KB of every stream. */
export function own(socket: Socket, owner: SocketOwner, openEvent?: 'connect' | 'secureConnect'): void {
  ;(socket as Owned)[OWNER] = owner
  if (openEvent !== undefined) socket.on(openEvent, onOpen)
  socket.on('end', onEnd)
  socket.on('error', onError)
  socket.on('close', onClose)
  if (owner.onRoom !== undefined) socket.on('drain', onDrain)
  if (owner.onStall !== undefined) socket.on('timeout', onTimeout)
}

function onOpen(this: Owned): void {
  this[OWNER]?.onOpen?.()
}

function onEnd(this: Owned): void {
  this[OWNER]?.onSaidAll()
}

function onError(this: Owned, error: NodeJS.ErrnoException): void {
  this[OWNER]?.onFailure(error)
}

function onClose(this: Owned): void {
  this[OWNER]?.onClosed()
}

function onDrain(this: Owned): void {
  this[OWNER]?.onRoom?.()
}

function onTimeout(this: Owned): void {
  this[OWNER]?.onStall?.()
}
