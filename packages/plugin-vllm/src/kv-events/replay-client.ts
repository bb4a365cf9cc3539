import { connect } from 'node:net'
import type { NumberedBatch } from './numbered-batches.js'
import { ZmtpPeer } from './zmtp-peer.js'

const PATIENCE_MS = 5_000
/** The publisher keeps 10,000. */
const MOST_BATCHES = 50_000
const END = -1n

/** Asks vLLM's replay socket (a ROUTER) for the batches from a number on. Rejects when it does not answer to its end in time. */
export function askReplay(port: number, fromSeq: bigint, signal: AbortSignal): Promise<readonly NumberedBatch[]> {
  return new Promise((resolve, reject) => {
    const batches: NumberedBatch[] = []
    let isWhole = false
    const limit = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)])
    const peer = new ZmtpPeer(connect({ host: '127.0.0.1', port }), {
      socketType: 'DEALER',
      onReady: () => peer.send([Buffer.alloc(0), seqBytes(fromSeq)]),
      onMessage: (frames) => {
        const batch = readReply(frames)
        isWhole = batch?.seq === END
        if (batch === undefined || isWhole || batches.length >= MOST_BATCHES) peer.close()
        else batches.push(batch)
      },
      onEnd: () => {
        limit.removeEventListener('abort', close)
        if (isWhole) resolve(batches)
        else reject(new Error('the replay broke off'))
      },
    })
    const close = (): void => peer.close()
    limit.addEventListener('abort', close)
    if (limit.aborted) close()
  })
}

/** `["", seq, payload]`; since 2026-07 a topic stands before the number. */
function readReply(frames: readonly Buffer[]): NumberedBatch | undefined {
  const [seq, payload] = frames.slice(-2)
  if (frames.length < 3 || seq?.byteLength !== 8 || payload === undefined) return undefined
  return { seq: seq.readBigInt64BE(), payload }
}

function seqBytes(seq: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(seq)
  return bytes
}
