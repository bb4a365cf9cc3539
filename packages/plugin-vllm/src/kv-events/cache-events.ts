import { createServer, type Server } from 'node:net'
import type { CacheEvent } from '@plimsoll/core/plugin'
import { createBatchDecoder } from './event-batch.js'
import { EventQueue } from './event-queue.js'
import { BatchStory } from './numbered-batches.js'
import { askReplay } from './replay-client.js'
import { ZmtpPeer } from './zmtp-peer.js'

const LISTEN_AGAIN_MS = 500
/** One publisher, and its next connection while the last one dies. */
const MOST_PEERS = 8

export interface CacheEventPorts {
  /** Where we listen, and vLLM's publisher connects. */
  readonly events: number
  /** Where vLLM listens. */
  readonly replay: number
}

/**
 * News of one vLLM's prefix cache. Its publisher comes to us (see `kvEventsConfig` in launch.ts), and comes back by itself after any break: what was said
 * in between is asked for at its replay socket.
 */
export async function* cacheEvents(ports: CacheEventPorts, signal: AbortSignal): AsyncGenerator<CacheEvent> {
  const decode = await createBatchDecoder()
  const queue = new EventQueue(signal)
  const story = new BatchStory(
    decode,
    (fromSeq) => askReplay(ports.replay, fromSeq, signal),
    (event) => queue.push(event),
  )
  const ear = listen(ports.events, story, signal)
  try {
    for (;;) {
      const event = await queue.next()
      if (event === undefined) return
      yield event
    }
  } finally {
    ear.close()
  }
}

interface Ear {
  close(): void
}

function listen(port: number, story: BatchStory, signal: AbortSignal): Ear {
  const peers = new Set<ZmtpPeer>()
  let again: NodeJS.Timeout | undefined
  let over = false
  let server: Server
  const open = (): void => {
    if (over) return
    server = createServer((socket) => {
      if (peers.size >= MOST_PEERS) {
        socket.destroy()
        return
      }
      const peer: ZmtpPeer = new ZmtpPeer(socket, {
        socketType: 'SUB',
        onReady: () => story.connected(),
        onMessage: (frames) => hear(frames, story),
        onEnd: () => peers.delete(peer),
      })
      peers.add(peer)
    })
    // The one before us may still hold it for a moment.
    server.on('error', () => {
      again = setTimeout(open, LISTEN_AGAIN_MS)
    })
    server.listen({ host: '127.0.0.1', port, exclusive: true })
  }
  const close = (): void => {
    over = true
    clearTimeout(again)
    server.close()
    for (const peer of peers) peer.close()
  }
  open()
  signal.addEventListener('abort', close, { once: true })
  return { close }
}

/** `[topic, seq, payload]`; anything else is not vLLM's. */
function hear(frames: readonly Buffer[], story: BatchStory): void {
  const [, seq, payload] = frames
  if (frames.length === 3 && seq?.byteLength === 8 && payload !== undefined) story.live({ seq: seq.readBigUInt64BE(), payload })
}
