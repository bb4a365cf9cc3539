/** Row i of the promises, the engines' side: huge and endless answers pass in bounded memory, byte for byte, without a stall. */
import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { doorNames, openDoors, type DoorName, type Doors } from './doors.js'
import { RawOrigin } from './raw-origin.js'
import { post } from './request-case.js'

const MIB = 1_048_576
const STALL_MS = 50
/** More than any buffer on the way, far less than the answers. */
const MOST_RSS_BYTES = 64 * MIB
const TRIES = 3

let origin: RawOrigin
let doors: Doors

beforeAll(async () => {
  origin = await RawOrigin.start()
  doors = await openDoors(origin, '20s')
})

afterAll(async () => {
  await doors.close()
  origin.close()
})

interface Answer {
  readonly name: string
  readonly stream: boolean
  /** The body's pieces; written as fast as they are taken. */
  readonly pieces: () => Iterable<Buffer>
}

const DONE = 'data: [DONE]\n\n'
const megabyte = (text: string): Buffer => Buffer.from(text.repeat(Math.floor(MIB / text.length)))

function* times(count: number, piece: Buffer, { first = '', last = '' } = {}): Iterable<Buffer> {
  if (first !== '') yield Buffer.from(first)
  for (let index = 0; index < count; index += 1) yield piece
  if (last !== '') yield Buffer.from(last)
}

const event = 'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'
const answers: readonly Answer[] = [
  { name: '100 MB of one SSE line', stream: true, pieces: () => times(100, megabyte('x'), { first: 'data: ', last: `\n\n${DONE}` }) },
  { name: '100 MB of comments', stream: true, pieces: () => times(100, megabyte(': comment\n'), { last: `\n\n${DONE}` }) },
  { name: '50 MB of events', stream: true, pieces: () => times(50, megabyte(event), { last: DONE }) },
  { name: '1 MB of line ends', stream: true, pieces: () => times(1, megabyte('\r\n'), { last: DONE }) },
  { name: '20 MB of events that are no JSON', stream: true, pieces: () => times(20, megabyte('data: {{{"usage"\n\n'), { last: DONE }) },
  { name: '20 MB of one JSON event', stream: true, pieces: () => times(20, megabyte('[{"a":'), { first: 'data: ', last: `\n\n${DONE}` }) },
  { name: '100 MB of a plain answer', stream: false, pieces: () => times(100, megabyte('y')) },
]

const hash = (pieces: Iterable<Buffer>): string => {
  const sum = createHash('sha256')
  for (const piece of pieces) sum.update(piece)
  return sum.digest('hex')
}

async function pour(socket: Socket, { pieces, stream }: Answer): Promise<void> {
  socket.write(`HTTP/1.1 200 OK\r\ncontent-type: ${stream ? 'text/event-stream' : 'application/json'}\r\nconnection: close\r\n\r\n`)
  for (const piece of pieces()) if (!socket.write(piece) && !socket.destroyed) await new Promise((resolve) => socket.once('drain', resolve))
  socket.end()
}

/** Reads a chunked answer as it comes; resolves with the hash of its body. */
function ask(door: DoorName, stream: boolean): Promise<string> {
  const more = stream ? ',"stream":true,"stream_options":{"include_usage":true}' : ''
  return new Promise((resolve, reject) => {
    const sum = createHash('sha256')
    const socket = connect(doors.ports[door], '127.0.0.1')
    let carry: Buffer = Buffer.alloc(0)
    let left = -1
    const read = (bytes: Buffer): Buffer => {
      if (left > 0) {
        const taken = bytes.subarray(0, left)
        left -= taken.byteLength
        sum.update(taken)
        return bytes.subarray(taken.byteLength)
      }
      const [mark, skip] = left === -1 ? (['\r\n\r\n', 4] as const) : (['\r\n', 2] as const)
      const end = bytes.indexOf(mark, left === 0 ? 2 : 0)
      if (end === -1) {
        carry = Buffer.from(bytes)
        return Buffer.alloc(0)
      }
      const size = left === -1 ? 0 : Number.parseInt(bytes.toString('latin1', left === 0 ? 2 : 0, end), 16)
      if (left === -1) left = -2
      else if (size === 0) {
        resolve(sum.digest('hex'))
        socket.destroy()
      } else left = size
      return bytes.subarray(end + skip)
    }
    socket.on('data', (part: Buffer) => {
      let rest: Buffer = carry.byteLength === 0 ? part : Buffer.concat([carry, part])
      carry = Buffer.alloc(0)
      while (rest.byteLength > 0) rest = read(rest)
    })
    socket.on('error', reject)
    socket.on('close', () => resolve('closed'))
    socket.write(post(`{"model":"m","user":"heavy"${more}}`))
  })
}

describe.each(doorNames)('heavy answers at the %s door', (door) => {
  it.each(answers.map((one) => [one.name, one] as const))('%s', async (name, one) => {
    const wanted = hash(one.pieces())
    origin.script = (_request, socket) => void pour(socket, one)
    let [stallMs, grownBytes] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
    for (let round = 0; round < TRIES && (stallMs > STALL_MS || grownBytes > MOST_RSS_BYTES); round += 1) {
      const before = await doors.facts()
      expect(await ask(door, one.stream)).toBe(wanted)
      const after = await doors.facts()
      stallMs = Math.min(stallMs, after.stallMs)
      grownBytes = Math.min(grownBytes, after.peakRssBytes - before.rssBytes)
    }
    process.stdout.write(`\n${name}, ${door} door: stall ${stallMs.toFixed(0)} ms, RSS +${(grownBytes / MIB).toFixed(0)} MiB\n`)
    expect(stallMs).toBeLessThan(STALL_MS)
    expect(grownBytes).toBeLessThan(MOST_RSS_BYTES)
    expect(doors.ended()).toBeUndefined()
  })
})
