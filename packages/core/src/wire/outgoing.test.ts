import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Outgoing } from './outgoing.js'

let server: Server
let accepted: Socket[]
let sockets: Socket[]
/** Who handed something to its socket, in order. */
let order: string[]

beforeEach(async () => {
  accepted = []
  sockets = []
  order = []
  server = createServer((socket) => void accepted.push(socket.resume()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(() => {
  for (const socket of [...sockets, ...accepted]) socket.destroy()
  server.close()
})

async function outgoing(name: string): Promise<{ readonly out: Outgoing; readonly socket: Socket; readonly received: () => string }> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  await new Promise((resolve) => socket.once('connect', resolve))
  await expect.poll(() => accepted.length).toBe(sockets.length)
  let text = ''
  accepted.at(-1)?.on('data', (part: Buffer) => (text += part.toString('latin1')))
  return { out: new Outgoing(socket, { onFlushed: () => order.push(name) }), socket, received: () => text }
}

const lent = (text: string, onLeft: () => void = () => undefined): { bytes: Buffer; onLeft: () => void } => ({
  bytes: Buffer.from(text),
  onLeft,
})
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(() => resolve()))

describe('what leaves at the end of a turn', () => {
  it('begins with requests and answers that begin; streams that go on follow, in their order', async () => {
    const [stream, other, answer, request] = [
      await outgoing('stream'),
      await outgoing('other'),
      await outgoing('answer'),
      await outgoing('request'),
    ]
    stream.out.writeLent(lent('event '.repeat(800)), false)
    other.out.write('event', false)
    answer.out.write('HTTP/1.1 200 OK', true)
    request.out.write('POST /', true)
    expect(order).toEqual([])
    await turn()
    expect(order).toEqual(['answer', 'request', 'stream', 'other'])
  })

  it('keeps the order of one socket, whatever its pieces are', async () => {
    const { out, received } = await outgoing('one')
    out.write('1', false)
    out.writeLent(lent('2'), false)
    out.write('3', true)
    out.writeLent(lent('4'), false)
    out.writeLent(lent('5'.repeat(20_000)), false)
    out.write('6', false)
    await expect.poll(received).toBe(`1234${'5'.repeat(20_000)}6`)
    expect(out.waitingBytes).toBe(0)
  })

  it('counts as waiting until then, and gives lent memory back when nobody wants it any more', async () => {
    const { out, socket } = await outgoing('one')
    let left = 0
    out.writeLent(
      lent('four', () => (left += 1)),
      false,
    )
    out.write('two', false)
    expect([out.waitingBytes, left]).toEqual([7, 0])
    socket.destroy()
    await turn()
    expect(left).toBe(1)
    out.writeLent(
      lent('four', () => (left += 1)),
      false,
    )
    await turn()
    expect(left).toBe(2)
  })
})
