/** A program that uses the library with two data threads. argv: what to serve, as JSON. It is told what to do through the message channel and says what happens. */
import { createBalancer, isLbError, messageOf, type EnginePlugin, type LogFacts, type TopologyInput } from '@plimsoll/core'

const { fds, url, engineUrl, engineModule, maxConnections, startWithinMs } = JSON.parse(process.argv[2] ?? '{}') as {
  readonly fds: readonly number[]
  readonly url: string
  readonly engineUrl: string
  readonly engineModule: string
  readonly maxConnections: number
  readonly startWithinMs: number
}

const { plugin } = (await import(new URL('./fragile-engine.ts', import.meta.url).href)) as { readonly plugin: EnginePlugin }
const tell = (message: object): void => void process.send?.(message)
const say = (event: string, facts: LogFacts = {}): void => tell({ type: 'log', event, facts })
const topologyWith = (models: readonly string[]): TopologyInput => ({
  name: 'threads',
  gateway: { maxConnections },
  pools: {
    demo: { models: [...models], retries: { max: 0 }, drain: '10s', nodes: [{ name: 'node', engine: 'fragile', attach: engineUrl }] },
  },
})

const balancer = createBalancer({
  topology: topologyWith(['sim-8b']),
  engines: [plugin],
  log: { info: say, warn: say, error: say },
  threads: { count: 2, engineModules: { fragile: engineModule }, startWithinMs },
})
balancer.on('broken', () => tell({ type: 'broken' }))

const orders = new Map<string, () => Promise<void> | void>(
  Object.entries({
    status: () => tell({ type: 'status', status: balancer.status() }),
    reload: async () => {
      await balancer.reload(topologyWith(['sim-8b', 'late-model']))
      tell({ type: 'reloaded' })
    },
    close: async () => {
      await balancer.close({ drainMs: 0, force: true })
      process.disconnect?.()
    },
  }),
)
process.on('message', (order: string) => void orders.get(order)?.())

try {
  await balancer.start()
  await balancer.listenShared([{ fds, url }])
  tell({ type: 'listening' })
} catch (error) {
  tell({
    type: 'failed',
    code: isLbError(error) ? error.code : undefined,
    message: messageOf(error),
    threads: balancer.status().gateway.threads,
  })
}
