/** Plimsoll as a route of an Express application: `node examples/express.mjs`. */
import express from 'express'
import { createBalancer } from '@plimsoll/core'
import { plugin as openai } from '@plimsoll/plugin-openai'
import { ask } from './ask.mjs'
import { startTinyEngine } from './tiny-engine.mjs'
import { topologyFor } from './topology.mjs'

const engine = await startTinyEngine()
const balancer = createBalancer({ topology: topologyFor(engine.url), engines: [openai] })
await balancer.start()

const app = express()
// Before any body parser: the balancer reads the body itself. `all`, not `use`: `use` would take "/v1" off the path.
app.all('/v1/*path', (request, response) => balancer.handler(request, response))
app.get('/hello', (_request, response) => void response.send('your own route'))
const server = await new Promise((resolve) => {
  const listening = app.listen(0, '127.0.0.1', () => resolve(listening))
})

await ask(`http://127.0.0.1:${server.address().port}`)

server.close()
server.closeAllConnections()
await balancer.close({ drainMs: 0, engines: 'stop' })
await engine.close()
