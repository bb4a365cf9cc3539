import type { RecordWithTtl } from 'node:dns'
import type { DnsSource } from '../topology/index.js'
import { EmptyAnswers, recordsOf, resolverOf } from './dns-answers.js'
import { startPolling, type Asked } from './polling.js'
import type { WatchSource } from './source.js'

const MAX_AGE_MS = 30_000
const MIN_AGE_MS = 1_000

interface Addresses {
  readonly addresses: readonly string[]
  /** How long they may be kept. */
  readonly ttlMs: number
}

/** Every address of a name is a server. A and AAAA are two questions: where one of them fails, what it last said stays. */
export const watchDns: WatchSource<DnsSource> = (source, context, events) => {
  const resolver = resolverOf(source.resolver)
  const families = [
    new Family(() => resolver.resolve4(source.host, { ttl: true })),
    new Family(() => resolver.resolve6(source.host, { ttl: true })),
  ]
  const empty = new EmptyAnswers()
  const ask = async (): Promise<Asked> => {
    const found = merged(await Promise.all(families.map((family) => family.ask(source.host))))
    const { addresses, ttlMs, notes } =
      found.addresses.length === 0 && source.resolver === undefined ? await bySystem(source.host, found) : found
    empty.judge(addresses.length, source.host)
    const servers = addresses.map((address) => ({ url: `http://${address.includes(':') ? `[${address}]` : address}:${source.port}` }))
    return { truth: { servers, notes }, nextMs: source.everyMs ?? Math.max(MIN_AGE_MS, Math.min(MAX_AGE_MS, ttlMs)) }
  }
  const polling = startPolling(context, events, ask, source.everyMs)
  return {
    stop() {
      polling.stop()
      resolver.cancel()
    },
  }
}

/** One of the two questions about a name, with the last answer to it. */
class Family {
  private last: Addresses | undefined

  constructor(private readonly query: () => Promise<readonly RecordWithTtl[]>) {}

  async ask(host: string): Promise<Addresses & { readonly failure?: Error }> {
    try {
      const records = await recordsOf(this.query(), host)
      this.last = {
        addresses: records.map(({ address }) => address),
        ttlMs: Math.min(...records.map(({ ttl }) => ttl * 1_000), MAX_AGE_MS),
      }
      return this.last
    } catch (error) {
      return {
        addresses: this.last?.addresses ?? [],
        ttlMs: MIN_AGE_MS,
        failure: error instanceof Error ? error : new Error(String(error)),
      }
    }
  }
}

interface Merged extends Addresses {
  readonly notes: readonly string[]
}

/** Throws where neither family, or the only one that could hold an address, was answered. */
function merged(families: readonly (Addresses & { readonly failure?: Error })[]): Merged {
  const failures = families.flatMap(({ failure }) => failure ?? [])
  const answered = families.filter(({ failure, addresses }) => failure === undefined && addresses.length > 0)
  const [first] = failures
  if (first !== undefined && answered.length === 0) throw first
  return {
    addresses: families.flatMap(({ addresses }) => addresses),
    ttlMs: Math.min(...families.map(({ ttlMs }) => ttlMs)),
    notes: failures.map(({ message }) => `half of the answer is old: ${message}`),
  }
}

/** Names that no DNS server knows may stand in the hosts file, or need the search domains of the system. */
async function bySystem(host: string, without: Merged): Promise<Merged> {
  const { promises } = process.getBuiltinModule('node:dns')
  const found = await promises.lookup(host, { all: true }).catch(() => [])
  return { ...without, addresses: found.map(({ address }) => address) }
}
