/**
 * The balancer of continuation.js: one pool for each value of the switch, all before the same engine.
 *
 *     node serve-continuation.js PORT UPSTREAM_URL
 */
import { createBalancer } from '@plimsoll/core'
import { plugin as sim } from '@plimsoll/plugin-sim'

const [port, upstream] = process.argv.slice(2)
const nodes = [{ name: 'engine', engine: 'sim', attach: String(upstream) }]
const balancer = createBalancer({
  topology: {
    name: 'continuation',
    pools: { off: { continuation: 'off', nodes }, text: { continuation: 'text', nodes }, exact: { continuation: 'exact', nodes } },
  },
  engines: [sim],
})
await balancer.start()
await balancer.listen({ host: '127.0.0.1', port: Number(port) })
process.stdout.write('ready\n')
