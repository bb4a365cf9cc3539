/** Prompts computed on one scripted vLLM and answered on another, by the real lb: what each of them is sent. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from './house.js'

const MODEL = 'Qwen/Qwen3-4B'
/** No double holds the first number. */
const PLACE =
  '{"do_remote_prefill":true,"remote_block_ids":[18446744073709551557, 3],"remote_engine_id":"e1","remote_host":"10.1.2.3","tp_size":1}'

interface Scripted {
  readonly server: Server
  readonly url: string
  readonly bodies: string[]
  /** Status of the next answers. */
  status: number
}

async function scripted(answer: string): Promise<Scripted> {
  const bodies: string[] = []
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      if (request.method === 'POST') {
        bodies.push(body)
        response.writeHead(engine.status, { 'content-type': 'application/json' }).end(engine.status === 200 ? answer : '{"error":"busy"}')
      } else if (request.url === '/v1/models') {
        response.end(JSON.stringify({ object: 'list', data: [{ id: MODEL, object: 'model', max_model_len: 8192, owned_by: 'vllm' }] }))
      } else response.end(request.url === '/version' ? '{"version":"0.33.0"}' : '')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const engine: Scripted = { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, bodies, status: 200 }
  return engine
}

let prefill: Scripted
let decode: Scripted
let house: House
let url: string

async function open(workers: number): Promise<void> {
  const message = (content: string): string =>
    `"choices":[{"index":0,"message":{"role":"assistant","content":"${content}"},"finish_reason":"stop"}]`
  const counted = '"usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10}'
  prefill = await scripted(`{${message('x')},${counted},"kv_transfer_params":${PLACE}}`)
  decode = await scripted(`{${message('from the second')},${counted}}`)
  house = new House(`version: 1
gateway: { listen: 127.0.0.1:0, workers: ${workers} }
pools:
  parted:
    models: ['${MODEL}']
    nodes:
      - { name: pre, engine: vllm, role: prefill, attach: '${prefill.url}' }
      - { name: dec, engine: vllm, role: decode, attach: '${decode.url}' }
`)
  url = await house.up()
  await until(async () => (await house.status()).pools[0]?.nodes.every(({ state }) => state === 'ready') === true)
}

async function close(): Promise<void> {
  await house.close()
  for (const { server } of [prefill, decode]) {
    server.closeAllConnections()
    server.close()
  }
}

async function ask(): Promise<{ text: string; node: string | null; id: string }> {
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-lb-trace': '1' },
    body: JSON.stringify({ model: MODEL, max_tokens: 40, messages: [{ role: 'user', content: 'hello' }] }),
  })
  return { text: await answer.text(), node: answer.headers.get('x-lb-node'), id: answer.headers.get('x-request-id') ?? '' }
}

describe.each([1, 2])('a pool of vLLMs that is parted by role, with %i data threads', (workers) => {
  beforeAll(() => open(workers))
  afterAll(close)

  it('hands over untouched what the first says of the prompt, and tells both in lb why', async () => {
    const { text, node, id } = await ask()
    expect(text).toContain('from the second')
    expect(node).toBe('parted/dec')
    expect(JSON.parse(prefill.bodies[0] ?? '')).toMatchObject({ max_tokens: 1, kv_transfer_params: { do_remote_decode: true } })
    expect(decode.bodies[0]).toContain(`"kv_transfer_params":${PLACE}`)
    expect(JSON.parse(decode.bodies[0] ?? '')).toMatchObject({ max_tokens: 40 })
    expect((await house.lb(['why', id])).stdout).toMatch(/pre \(role: computes prompts for others\)/)
  })

  it('answers also when the first fails', async () => {
    prefill.status = 502
    const { text } = await ask()
    prefill.status = 200
    expect(text).toContain('from the second')
    expect(decode.bodies.at(-1)).not.toContain('kv_transfer_params')
  })
})
