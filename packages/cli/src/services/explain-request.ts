import { LbError, type WhyJson } from '@plimsoll/core/client'
import { openConnection, type ConnectionQuery } from './open-connection.js'

export interface WhyQuery extends ConnectionQuery {
  /** Absent: the newest request that was traced. */
  readonly id?: string | undefined
}

/** How a request found its node, as far as the balancer remembers it. */
export async function explainRequest({ id, ...query }: WhyQuery): Promise<WhyJson> {
  const connection = await openConnection(query)
  try {
    if (id !== undefined) return await connection.client.why(id)
    const [newest] = await connection.client.traced(1)
    if (newest !== undefined) return newest
  } finally {
    connection.close()
  }
  throw new LbError('no request has been traced yet', {
    code: 'LB_NOTHING_TRACED',
    source: 'operator',
    hint: 'send one with the header x-lb-trace: 1, or raise gateway.traceShare; lb why ID tells what is known of any recent one',
  })
}
