import { setTimeout as sleep } from 'node:timers/promises'
import type { BalancerStatus } from '@plimsoll/core'
import type { ControlClient } from './control-client.js'

const LOOK_EVERY_MS = 1_000

/** Hands over the status now and whenever it has changed. Ends by throwing, when nobody answers any more. */
export async function watchStatus(client: Pick<ControlClient, 'status'>, onChange: (status: BalancerStatus) => void): Promise<never> {
  let last = ''
  for (;;) {
    const status = await client.status()
    const text = JSON.stringify(status)
    if (text !== last) onChange(status)
    last = text
    await sleep(LOOK_EVERY_MS)
  }
}
