import type { Usage } from '../contracts/index.js'
import type { BodyReader } from './body-reader.js'
import type { AttemptEnd } from './forward.js'
import { afterFirstBreak, streamCut, type BrokenStream } from './resumption.js'

/** How a broken try ends, besides what all of them have. */
export type BrokenEnd = Pick<AttemptEnd, 'outcome' | 'reason' | 'movable' | 'resumption' | 'passOn' | 'isWhole' | 'isLost'> & {
  readonly counted?: Usage | undefined
}

/** An answer broke off of which its client has seen content already: another node is to go on, or the client is told the end, or the truth. */
export function breakOff(broken: BrokenStream, reader: BodyReader | undefined, reason: string): BrokenEnd {
  const { delivery } = broken.request
  const stream = reader?.stream
  const after = stream === undefined ? undefined : afterFirstBreak(broken, stream, reader?.ids)
  const end = { outcome: 'cut', reason, movable: false } as const
  if (after?.kind === 'resume') {
    // An event without its empty line is whole all the same: what follows must not run into it. Half of one was never sent.
    if (reader?.ended === true && !reader.atBoundary) delivery.write(Buffer.from('\n\n'))
    delivery.atBoundary = true
    return { ...end, resumption: after.resumption, passOn: () => delivery.fail(streamCut(reason), {}) }
  }
  if (after?.kind === 'whole') {
    delivery.end(Buffer.from(after.rest))
    return { ...end, isWhole: true, counted: after.counted }
  }
  delivery.fail(streamCut(reason), {})
  return { ...end, isLost: true, reason: after === undefined ? reason : `${reason}; not gone on with: ${after.why}` }
}
