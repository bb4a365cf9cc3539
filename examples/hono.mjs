/** Plimsoll as a route of a Hono application, through the platform's Request and Response: `node examples/hono.mjs`. */
import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createBalancer } from '@plimsoll/core'
import { plugin as openai } from '@plimsoll/plugin-openai'
import { ask } from './ask.mjs'
import { startTinyEngine } from './tiny-engine.mjs'
import { topologyFor } from './topology.mjs'

const engine = await startTinyEngine()
const balancer = createBalancer({ topology: topologyFor(engine.url), engines: [openai] })
await balancer.start()

const app = new Hono()
app.all('/v1/*', (context) => balancer.fetch(context.req.raw))
app.get('/hello', (context) => context.text('your own route'))
const server = await new Promise((resolve) => {
  const listening = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve(listening))
})

await ask(`http://127.0.0.1:${server.address().port}`)

server.close()
server.closeAllConnections()
await balancer.close({ drainMs: 0, engines: 'stop' })
await engine.close()
