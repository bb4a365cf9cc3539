import type { ServerResponse } from 'node:http'
import type { ControlActions } from './actions.js'
import type { BalancerEvent } from './status.js'

const MAX_PENDING_BYTES = 1_048_576

/** Recent events, then each new one, as JSON lines. A reader that falls 1 MiB behind is cut off, or it would hold the balancer's memory. */
export function streamEvents(actions: ControlActions, response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' })
  const write = (event: BalancerEvent): void => {
    response.write(`${JSON.stringify(event)}\n`)
    if (response.writableLength > MAX_PENDING_BYTES) response.destroy()
  }
  for (const event of actions.recentEvents()) write(event)
  response.flushHeaders()
  const stop = actions.onEvent(write)
  response.on('close', stop)
}
