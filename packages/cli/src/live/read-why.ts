import { messageOf } from '@plimsoll/core'
import { sanitize } from '../views/sanitize.js'
import { whyLines } from '../views/why-text.js'
import type { LiveClient } from './live-client.js'
import type { WhyShown } from './view-state.js'

/** Traced requests that are looked through for one of the node. */
const LOOKED_AT = 200

/** The newest traced request that went to a node, told as `lb why` does. Where there is none, how to get one. */
export async function readWhy(nodeId: string, client: Pick<LiveClient, 'traced'>): Promise<WhyShown> {
  try {
    const traced = await client.traced(LOOKED_AT)
    const newest = traced.find(({ decisions }) => decisions.some(({ choice }) => choice === nodeId))
    return { nodeId, lines: newest === undefined ? NONE : whyLines(newest) }
  } catch (error) {
    return { nodeId, lines: [sanitize(messageOf(error))] }
  }
}

const NONE = [
  'no request that went to it was traced lately',
  'send one with the header  x-lb-trace: 1  from this machine or with a key, or raise gateway.traceShare (now and then 1 of 100 is traced)',
]
