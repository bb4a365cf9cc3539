import { createServer, connect } from 'node:net'
import type { CacheEvent } from '@plimsoll/core/plugin'
import { encode } from '@msgpack/msgpack'
import * as fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheEvents } from './cache-events.js'
import { createBatchDecoder } from './event-batch.js'
import { ScriptedPublisher } from './scripted-publisher.test.fixture.js'
import { encodeFrame, FrameReader, ZmtpError } from './zmtp-frames.js'

const hash = (text: string) => BigInt(`0x${text}`)
const stored = (block: bigint, more: object = {}) => ({
  type: 'BlockStored',
  block_hashes: [block],
  parent_block_hash: null,
  token_ids: [1, 2, 3, 4],
  block_size: 4,
  lora_id: null,
  medium: 'GPU',
  lora_name: null,
  ...more,
})
const blockOf = (event: CacheEvent) => (event.kind === 'cleared' ? event.reason : event.blocks.join())
const short = (number: number) => number.toString(16).padStart(16, '0')

let publisher: ScriptedPublisher
let abort: AbortController
let seen: CacheEvent[]
let port: number
let reading: Promise<void>

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port: free } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return free
}

async function read(): Promise<void> {
  for await (const event of cacheEvents({ events: port, replay: publisher.replayPort }, abort.signal)) seen.push(event)
}

beforeEach(async () => {
  publisher = new ScriptedPublisher()
  await publisher.openReplay()
  abort = new AbortController()
  seen = []
  port = await freePort()
  reading = read()
})

afterEach(async () => {
  abort.abort()
  await reading
  publisher.close()
})

const sees = (blocks: readonly string[]) => expect.poll(() => seen.map(blockOf), { timeout: 10_000 }).toEqual(blocks)

describe('news of vLLM’s prefix cache', () => {
  it('come as maps, with hashes that only BigInt holds', async () => {
    await publisher.connect(port)
    publisher.publish([
      stored(hash('f123456789abcdef'), { parent_block_hash: hash('8000000000000001'), lora_name: 'sql' }),
      { type: 'BlockRemoved', block_hashes: [5, hash('ffffffffffffffff')], medium: 'GPU' },
      { type: 'AllBlocksCleared' },
    ])
    await expect
      .poll(() => seen)
      .toEqual([
        {
          kind: 'stored',
          blocks: ['f123456789abcdef'],
          parent: '8000000000000001',
          tokenIds: [1, 2, 3, 4],
          blockTokens: 4,
          adapter: 'sql',
        },
        { kind: 'removed', blocks: [short(5), 'ffffffffffffffff'] },
        { kind: 'cleared', reason: 'engine' },
      ])
  })

  it('come as arrays from servers before 2026-06', async () => {
    await publisher.connect(port)
    publisher.publish([
      ['BlockStored', [7], null, [9, 9], 2, null],
      ['BlockStored', [8], 7, [9, 9], 2, 3, 'GPU'],
      ['BlockRemoved', [7]],
      ['AllBlocksCleared'],
    ])
    await expect
      .poll(() => seen)
      .toEqual([
        { kind: 'stored', blocks: [short(7)], parent: null, tokenIds: [9, 9], blockTokens: 2 },
        { kind: 'stored', blocks: [short(8)], parent: short(7), tokenIds: [9, 9], blockTokens: 2, adapter: '#3' },
        { kind: 'removed', blocks: [short(7)] },
        { kind: 'cleared', reason: 'engine' },
      ])
  })

  it('come with whole hashes where vLLM is told so, and in batches that are maps', async () => {
    await publisher.connect(port)
    const whole = new Uint8Array(32).fill(0xab)
    publisher.publish([{ ...stored(0n), block_hashes: [whole] }], { asMap: true })
    await sees(['ab'.repeat(32)])
  })

  it('count for the GPU’s first group only; what is unknown is passed over', async () => {
    await publisher.connect(port)
    publisher.publish([
      stored(1n, { medium: 'CPU' }),
      stored(2n, { group_idx: 1 }),
      stored(3n, { group_idx: 0 }),
      { type: 'BlockPromoted', block_hashes: [4] },
      stored(5n, { token_ids: 'none' }),
      stored(6n, { medium: null }),
    ])
    await sees([short(3), short(6)])
  })

  it('are asked for when some went missing', async () => {
    await publisher.connect(port)
    publisher.publish([stored(1n)])
    await sees([short(1)])
    publisher.publish([stored(2n)], { lose: true })
    publisher.publish([stored(3n)], { lose: true })
    publisher.publish([stored(4n)])
    publisher.publish([stored(5n)])
    await sees([1, 2, 3, 4, 5].map(short))
    expect(publisher.askedFrom).toEqual([0n, 1n])
  })

  it('are read with the topic of newer replays too', async () => {
    publisher.replaysTopic = true
    publisher.publish([stored(1n)], { lose: true })
    publisher.publish([stored(2n)], { lose: true })
    await publisher.connect(port)
    await sees([short(1), short(2)])
  })

  it('start with all that is kept when we come late', async () => {
    for (const block of [1n, 2n, 3n]) publisher.publish([stored(block)], { lose: true })
    await publisher.connect(port)
    publisher.publish([stored(4n)])
    await sees([1, 2, 3, 4].map(short))
  })

  it('end in a clean slate when the gap is larger than what is kept', async () => {
    await publisher.connect(port)
    publisher.publish([stored(1n)])
    await sees([short(1)])
    publisher.publish([stored(2n)], { lose: true })
    publisher.publish([stored(3n)], { lose: true })
    publisher.kept.delete(1n)
    publisher.publish([stored(4n)])
    await sees([short(1), 'gap', short(3), short(4)])
  })

  it('end in a clean slate when nobody replays', async () => {
    await publisher.connect(port)
    publisher.publish([stored(1n)])
    await sees([short(1)])
    publisher.close()
    const other = new ScriptedPublisher()
    await other.connect(port)
    other.publish([stored(8n)], { lose: true })
    other.publish([stored(9n)], { lose: true })
    other.publish([stored(10n)])
    await sees([short(1), 'gap', short(10)])
    other.close()
  })

  it('start anew when the engine does', async () => {
    await publisher.connect(port)
    publisher.publish([stored(1n)])
    publisher.publish([stored(2n)])
    await sees([short(1), short(2)])
    publisher.disconnect()
    publisher.restart()
    await publisher.connect(port)
    await sees([short(1), short(2), 'restart'])
    publisher.publish([stored(3n)])
    await sees([short(1), short(2), 'restart', short(3)])
  })

  it('start anew when the numbers do, on the same connection', async () => {
    await publisher.connect(port)
    for (const block of [1n, 2n, 3n]) publisher.publish([stored(block)])
    await sees([1, 2, 3].map(short))
    publisher.restart()
    publisher.publish([stored(7n)])
    await sees([...[1, 2, 3].map(short), 'restart', short(7)])
  })

  it('go on after a break with what was said meanwhile', async () => {
    await publisher.connect(port)
    publisher.publish([stored(1n)])
    await sees([short(1)])
    publisher.disconnect()
    publisher.publish([stored(2n)], { lose: true })
    await publisher.connect(port)
    publisher.publish([stored(3n)])
    await sees([1, 2, 3].map(short))
  })

  it('lose what cannot be read, and say so', async () => {
    await publisher.connect(port)
    publisher.publish([stored(1n)])
    publisher.publish([], { payload: Buffer.from([0xc1, 1, 2]) })
    publisher.publish([stored(2n)])
    await sees([short(1), 'gap', short(2)])
  })

  it('survive a stranger on the port', async () => {
    const stranger = connect({ host: '127.0.0.1', port })
    stranger.on('error', () => undefined)
    stranger.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n'.padEnd(200, ' '))
    await new Promise((resolve) => stranger.once('close', resolve))
    await publisher.connect(port)
    publisher.publish([stored(1n)])
    await sees([short(1)])
  })
})

describe('frames of ZMTP', () => {
  it.each([0, 1, 255, 256, 70_000])('of %i bytes come out as they went in, however the bytes are cut', (size) => {
    const body = Buffer.alloc(size, 'x')
    const bytes = Buffer.concat([encodeFrame(body, { more: true }), encodeFrame(Buffer.from('end'), { isCommand: true })])
    for (const step of [1, 7, 1000, bytes.byteLength]) {
      if (size > 1000 && step === 1) continue
      const reader = new FrameReader()
      const frames = []
      for (let at = 0; at < bytes.byteLength; at += step) {
        reader.push(bytes.subarray(at, at + step))
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) frames.push(frame)
      }
      expect(frames.map(({ body: each, more, isCommand }) => [each.toString(), more, isCommand])).toEqual([
        [body.toString(), true, false],
        ['end', false, true],
      ])
    }
  })

  it('that promise too much are refused before their bytes come', () => {
    const reader = new FrameReader()
    reader.push(Buffer.from([2, 0, 0, 1, 0, 0, 0, 0, 0]))
    expect(() => reader.next()).toThrow('1099511627776 bytes')
    const odd = new FrameReader()
    odd.push(Buffer.from([0x80, 0]))
    expect(() => odd.next()).toThrow('flags')
  })
})

describe('bytes of anybody', () => {
  it('are frames or a broken rule, never a crash', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 })), (chunks) => {
        const reader = new FrameReader()
        try {
          for (const chunk of chunks) {
            reader.push(Buffer.from(chunk))
            for (let frame = reader.next(); frame !== undefined; frame = reader.next())
              expect(frame.body.byteLength).toBeLessThanOrEqual(10_000)
          }
        } catch (error) {
          expect(error).toBeInstanceOf(ZmtpError)
        }
      }),
    )
  })

  it('are a batch or none', async () => {
    const decode = await createBatchDecoder()
    const anything = fc.anything({
      values: [fc.string(), fc.integer(), fc.double(), fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }), fc.boolean(), fc.constant(null)],
    })
    const tagged = fc.tuple(fc.constantFrom('BlockStored', 'BlockRemoved', 'AllBlocksCleared'), anything, anything, anything, anything)
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.tuple(fc.double(), fc.array(fc.oneof(anything, tagged))).map((batch) => encode(batch, { useBigInt64: true })),
        ),
        (bytes) => {
          for (const event of decode(bytes) ?? []) expect(['stored', 'removed', 'cleared']).toContain(event.kind)
        },
      ),
    )
  })
})

describe('a batch', () => {
  it.each([
    ['nothing', undefined],
    ['a number', 5],
    ['no list of events', [1, 'x']],
    ['a map without events', {}],
  ])('of %s is none', async (_name, value) => {
    const decode = await createBatchDecoder()
    expect(decode(encode(value, { useBigInt64: true }))).toBeUndefined()
  })
})
