import { LbError, type BalancerStatus } from '@plimsoll/core'
import type { UpBalancer } from './bring-up.js'
import { nodesOf, poolsWithoutReady, waitUntilSettled } from './wait-until-settled.js'

export interface ReadyOptions {
  readonly wait: boolean
  /** Told every few seconds how far it is. */
  readonly say: (text: string) => void
}

export interface Readiness {
  readonly status: BalancerStatus
  /** Pools that have no ready node although all of them have settled. */
  readonly silentPools: readonly string[]
}

const SAY_EVERY_MS = 5_000

/** Waits for the nodes; an interrupt stops what was started. */
export async function untilReady({ client, launched }: UpBalancer, options: ReadyOptions): Promise<Readiness> {
  if (!options.wait) return { status: await client.status(), silentPools: [] }
  const life = new AbortController()
  const interrupt = (): void => life.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  const startedMs = performance.now()
  let saidMs = startedMs
  const onStatus = (status: BalancerStatus): void => {
    if (performance.now() - saidMs < SAY_EVERY_MS) return
    saidMs = performance.now()
    options.say(progressText(status, saidMs - startedMs))
  }
  try {
    const status = await waitUntilSettled(client, { signal: life.signal, onStatus })
    return { status, silentPools: poolsWithoutReady(status) }
  } catch (error) {
    if (!life.signal.aborted) throw error
    await client.stop({ force: true })
    await launched.ended
    throw new LbError('interrupted; what was started is stopped again', {
      code: 'LB_INTERRUPTED',
      source: 'operator',
      hint: 'lb up --detach --no-wait returns at once',
      cause: error,
    })
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
}

function progressText(status: BalancerStatus, elapsedMs: number): string {
  const nodes = nodesOf(status)
  const ready = nodes.filter((node) => node.state === 'ready').length
  const loading = nodes
    .filter((node) => node.state === 'loading' || node.state === 'starting')
    .map((node) => `${node.id} ${node.progress === null ? node.state : `${Math.round(node.progress * 100)} %`}`)
  return `${ready} of ${nodes.length} nodes ready after ${Math.round(elapsedMs / 1000)} s; ${loading.slice(0, 4).join(', ')}`
}
