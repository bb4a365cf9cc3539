import type { SrvRecord } from 'node:dns'
import type { SrvSource } from '../topology/index.js'
import { EmptyAnswers, recordsOf, resolverOf } from './dns-answers.js'
import { startPolling, type Asked } from './polling.js'
import type { FoundServer, WatchSource } from './source.js'

/** Node.js does not tell how long these records may be kept. */
const EVERY_MS = 10_000
/** Share of a record of weight 0, beside others with a weight: RFC 2782 wants it chosen very seldom. */
const LEAST_SHARE = 0.01

/** SRV records (RFC 2782): targets with their ports; weights are shares, and a target of a higher priority number stands back until all others are away. */
export const watchSrv: WatchSource<SrvSource> = (source, context, events) => {
  const resolver = resolverOf(source.resolver)
  const empty = new EmptyAnswers()
  const ask = async (): Promise<Asked> => {
    const records = await recordsOf(resolver.resolveSrv(source.name), source.name)
    // A target of the root says that there is no such service: RFC 2782.
    const offered = records.filter(({ name }) => name !== '' && name !== '.')
    empty.judge(offered.length, source.name)
    return { truth: { servers: serversOf(offered), notes: [] }, nextMs: source.everyMs ?? EVERY_MS }
  }
  const polling = startPolling(context, events, ask, source.everyMs)
  return {
    stop() {
      polling.stop()
      resolver.cancel()
    },
  }
}

/** Weights around 1 within each priority, so that the group's own weight keeps its meaning; ranks count the priorities that there are. */
export function serversOf(records: readonly SrvRecord[]): readonly FoundServer[] {
  const priorities = [...new Set(records.map(({ priority }) => priority))].sort((a, b) => a - b)
  return records.map(({ name, port, priority, weight }) => {
    const alike = records.filter((record) => record.priority === priority)
    const mean = alike.reduce((total, record) => total + record.weight, 0) / alike.length
    const share = mean === 0 ? 1 : Math.max(LEAST_SHARE, weight / mean)
    return { url: `http://${name.replace(/\.$/, '')}:${port}`, weight: share, rank: priorities.indexOf(priority) }
  })
}
