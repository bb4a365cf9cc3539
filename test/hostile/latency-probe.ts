/** A client of its own process that measures what one request after another takes; one JSON line a window. Run by Node.js as it stands. */
import { Agent, request } from 'node:http'

/** One window of requests. */
export interface LatencyWindow {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failed: number
}

const [url = '', count = '400'] = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const body = JSON.stringify({ model: 'quick', max_tokens: 1, messages: [{ role: 'user', content: 'hello' }] })

function ask(): Promise<number> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now()
    const sent = request(
      `${url}/v1/chat/completions`,
      { method: 'POST', agent, headers: { 'content-type': 'application/json' } },
      (answer) => {
        answer.on('error', reject).resume()
        answer.on('end', () =>
          answer.statusCode === 200 ? resolve(performance.now() - startedMs) : reject(new Error(String(answer.statusCode))),
        )
      },
    )
    sent.on('error', reject).end(body)
  })
}

for (;;) {
  const tookMs: number[] = []
  let failed = 0
  for (let index = 0; index < Number(count); index += 1) {
    await ask().then(
      (ms) => tookMs.push(ms),
      () => (failed += 1),
    )
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  tookMs.sort((a, b) => a - b)
  const window: LatencyWindow = {
    p50Ms: tookMs[Math.floor(tookMs.length * 0.5)] ?? 0,
    p99Ms: tookMs[Math.floor(tookMs.length * 0.99)] ?? 0,
    failed,
  }
  process.stdout.write(`${JSON.stringify(window)}\n`)
}
