import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SocketCount } from './socket-count.js'
import { UpstreamSocket } from './upstream-socket.js'

const FLOOD_BYTES = 3_000_000
const MOST_BYTES_A_TURN = 131_072

let server: Server
let turn: number
let counting: NodeJS.Immediate

beforeEach(async () => {
  server = createServer((socket) => void socket.end(Buffer.alloc(FLOOD_BYTES, 'x')))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  turn = 0
  const count = (): void => {
    turn += 1
    counting = setImmediate(count)
  }
  counting = setImmediate(count)
})

afterEach(() => {
  clearImmediate(counting)
  server.close()
})

const turns = async (count: number): Promise<void> => {
  const until = turn + count
  while (turn < until) await new Promise((resolve) => setImmediate(resolve))
}

/** Connects; nothing is read before the kernel holds what it can. */
async function flooded(
  onBytes: (socket: UpstreamSocket, bytes: number) => void,
): Promise<{ socket: UpstreamSocket; closed: Promise<void> }> {
  const { port } = server.address() as AddressInfo
  const target = { host: '127.0.0.1', port, tls: false, basePath: '', authority: 'engine' }
  const [closed, connected] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const socket: UpstreamSocket = new UpstreamSocket(
    target,
    {
      onConnect: connected.resolve,
      onBytes: ({ byteLength }) => onBytes(socket, byteLength),
      onClose: () => closed.resolve(),
    },
    new SocketCount(),
  )
  socket.pause()
  await connected.promise
  await turns(50)
  return { socket, closed: closed.promise }
}

describe('a connection with much to read', () => {
  it('lets the others go first after each two full reads', async () => {
    const read = new Map<number, number>()
    const { socket, closed } = await flooded((_socket, bytes) => void read.set(turn, (read.get(turn) ?? 0) + bytes))
    socket.resume()
    await closed
    expect([...read.values()].reduce((sum, bytes) => sum + bytes, 0)).toBe(FLOOD_BYTES)
    expect(Math.max(...read.values())).toBe(MOST_BYTES_A_TURN)
  })

  it('reads no further when its holder wants nothing more meanwhile', async () => {
    let total = 0
    const { socket, closed } = await flooded((one, bytes) => {
      total += bytes
      if (total === MOST_BYTES_A_TURN) one.pause()
    })
    socket.resume()
    await expect.poll(() => total).toBe(MOST_BYTES_A_TURN)
    await turns(50)
    expect(total).toBe(MOST_BYTES_A_TURN)
    socket.resume()
    await closed
    expect(total).toBe(FLOOD_BYTES)
  })
})
