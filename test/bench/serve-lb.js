/**
 * Our own process of the bench: the built library with one pool and one attached node, as `docs/guides/library.md` shows it.
 *
 *     node serve-lb.js listen|handler PORT UPSTREAM_URL [GATEWAY_JSON]
 *
 * GATEWAY_JSON is merged into the topology's `gateway`: TLS, data threads.
 */
import { createServer } from 'node:http'
import { createBalancer } from '@plimsoll/core'
import { plugin as openai } from '@plimsoll/plugin-openai'

const [door, port, upstream, gateway = '{}'] = process.argv.slice(2)

/**
 * As for an engine whose streams are gone on with elsewhere: what was delivered is kept.
 *
 * @type {typeof openai}
 */
const engine = {
  ...openai,
  createBackend: (spec, host) => {
    const backend = openai.createBackend(spec, host)
    return { ...backend, dialect: { ...backend.dialect, continuation: { text: { 'openai-chat': {} } } } }
  },
}

/** @type {import('@plimsoll/core').TopologyInput} */
const topology = {
  name: 'bench',
  gateway: JSON.parse(gateway),
  pools: { bench: { models: ['m'], nodes: [{ name: 'engine', engine: 'openai', attach: String(upstream) }] } },
}
const balancer = createBalancer({ topology, engines: [engine] })
try {
  await balancer.start()
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

if (door === 'listen') {
  await balancer.listen({ host: '127.0.0.1', port: Number(port) })
} else {
  createServer((request, response) => balancer.handler(request, response)).listen({ port: Number(port), host: '127.0.0.1', backlog: 4096 })
}
