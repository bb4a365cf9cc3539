/**
 * A client of its own process that measures what one request after another takes, at each of the URLs that it is given in turn, so
 * that whatever else the machine does falls on all of them alike. One JSON line a window, with one entry a URL. Run by Node.js as it stands.
 */
import { Agent, request } from 'node:http'

/** One window of requests at one URL. */
export interface LatencyWindow {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly failed: number
}

const COUNT = 400
const urls = process.argv.slice(2)
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
const body = JSON.stringify({ model: 'quick', max_tokens: 1, messages: [{ role: 'user', content: 'hello' }] })

function ask(url: string): Promise<number> {
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
  const seen = urls.map((url) => ({ url, tookMs: [] as number[], failed: 0 }))
  for (let index = 0; index < COUNT; index += 1) {
    // Now the one first, now the other: what comes behind another request finds the processor awake.
    for (const one of index % 2 === 0 ? seen : seen.toReversed()) {
      await ask(one.url).then(
        (ms) => one.tookMs.push(ms),
        () => (one.failed += 1),
      )
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  const windows = seen.map(({ tookMs, failed }): LatencyWindow => {
    tookMs.sort((a, b) => a - b)
    return { p50Ms: tookMs[Math.floor(tookMs.length * 0.5)] ?? 0, p99Ms: tookMs[Math.floor(tookMs.length * 0.99)] ?? 0, failed }
  })
  process.stdout.write(`${JSON.stringify(windows)}\n`)
}
