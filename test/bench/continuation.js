/**
 * What the switch `continuation` costs per chunk of a stream: CPU of the balancer's process for `off`, `text` and `exact`, in interleaved rounds over the same
 * chunks; with `exact` each brings the ids of its tokens, as engines write them when asked.
 *
 *     npm run bench:continuation -- [--rounds 7] [--streams 100]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { cpuNanoseconds, processTree } from './accounting.js'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '7' }, streams: { type: 'string', default: '100' } } })
const rounds = Number(values.rounds)
const streams = Number(values.streams)
const CHUNKS = 100
const EVERY_MS = 10
const modes = /** @type {const} */ (['off', 'text', 'exact'])

const head = '{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"'

/** An engine that says a word every 10 ms, with ids where they are asked for. */
const engine = createServer((incoming, response) => {
  if (incoming.method === 'GET')
    return void response.end(incoming.url === '/health' ? '{"status":"ok","models":["off","text","exact"]}' : '{"data":[]}')
  let body = ''
  incoming.on('data', (part) => (body += String(part)))
  incoming.on('end', () => {
    const withIds = body.includes('"return_token_ids":true')
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    let left = CHUNKS
    const timer = setInterval(() => {
      left -= 1
      const ids = withIds ? `,"token_ids":[${10_000 + left}]` : ''
      response.write(`data: ${head} word${left}"},"logprobs":null,"finish_reason":null${ids}}]}\n\n`)
      if (left > 0) return
      clearInterval(timer)
      response.end('data: [DONE]\n\n')
    }, EVERY_MS)
  })
})
engine.listen(0, '127.0.0.1')
await once(engine, 'listening')

const port = await freePort()
const served = fileURLToPath(new URL('serve-continuation.js', import.meta.url))
const child = spawn(process.execPath, [served, String(port), `http://127.0.0.1:${portOf(engine)}`], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
process.once('exit', () => child.kill())
await once(child.stdout, 'data')

/** @type {Record<typeof modes[number], number[]>} */
const costs = { off: [], text: [], exact: [] }
for (let round = 0; round <= rounds; round += 1) {
  for (const mode of modes) {
    const before = cpuNanoseconds(processTree(child.pid ?? 0)).used
    await Promise.all(Array.from({ length: streams }, () => stream(mode)))
    const used = cpuNanoseconds(processTree(child.pid ?? 0)).used - before
    // The first round warms up.
    if (round > 0) costs[mode].push(used / 1000 / streams / CHUNKS)
  }
}
for (const mode of modes) {
  const ratios = costs[mode].map((cost, index) => cost / (costs.off[index] ?? 1))
  process.stdout.write(`${mode.padEnd(6)} ${median(costs[mode]).toFixed(1)} us a chunk, ${median(ratios).toFixed(2)} times off\n`)
}
child.kill()
engine.closeAllConnections()
engine.close()

/** @param {string} model */
function stream(model) {
  const body = JSON.stringify({ model, messages: [{ role: 'user', content: 'hi' }], stream: true })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path: '/v1/chat/completions', method: 'POST', headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`))
      response.resume()
      response.once('end', resolve)
    })
    sent.once('error', reject)
    sent.end(body)
  })
}

/** @param {import('node:http').Server | import('node:net').Server} server */
function portOf(server) {
  return /** @type {import('node:net').AddressInfo} */ (server.address()).port
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const found = portOf(server)
  server.close()
  return found
}

/** @param {readonly number[]} list */
function median(list) {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN
}
