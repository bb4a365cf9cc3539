/** Plimsoll inside a plain node:http server: `node examples/node-http.mjs`. */
import { createServer } from 'node:http'
import { createBalancer } from '@plimsoll/core'
import { plugin as openai } from '@plimsoll/plugin-openai'
import { ask } from './ask.mjs'
import { startTinyEngine } from './tiny-engine.mjs'
import { topologyFor } from './topology.mjs'

const engine = await startTinyEngine()
const balancer = createBalancer({ topology: topologyFor(engine.url), engines: [openai] })
await balancer.start()

const server = createServer((request, response) => {
  if (request.url === '/hello') response.end('your own route\n')
  else balancer.handler(request, response)
})
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))

await ask(`http://127.0.0.1:${server.address().port}`)

server.close()
server.closeAllConnections()
await balancer.close({ drainMs: 0, engines: 'stop' })
await engine.close()
