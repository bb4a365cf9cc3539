/** Loads for a balancer with several data threads: a fresh connection for each request, so that every thread gets its share. */
import { readdirSync, readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import type { House } from './house.js'

export interface Tally {
  readonly failed: string[]
  readonly nodes: Map<string, number>
  promptTokens: number
  cachedTokens: number
}

export interface LoadOptions {
  readonly concurrency: number
  readonly onStarted?: (started: number) => void
}

export interface Answered {
  readonly status: number
  readonly node: string
  readonly text: string
}

/** One POST on a connection of its own. Rejects when the connection breaks. */
export function post(url: string, body: string, path = '/v1/chat/completions'): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
    const sent = request(`${url}${path}`, { method: 'POST', headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('error', reject)
      response.on('close', () => {
        if (!response.complete) return reject(new Error(`cut after ${text.length} characters`))
        resolve({ status: response.statusCode ?? 0, node: String(response.headers['x-lb-node'] ?? 'none'), text })
      })
    })
    sent.once('error', reject).end(body)
  })
}

/** Plain requests with these bodies, in this order, so many at a time. */
export async function load(url: string, bodies: readonly string[], options: LoadOptions): Promise<Tally> {
  const tally: Tally = { failed: [], nodes: new Map(), promptTokens: 0, cachedTokens: 0 }
  let started = 0
  const client = async (): Promise<void> => {
    for (let body = bodies[started++]; body !== undefined; body = bodies[started++]) {
      options.onStarted?.(started)
      await post(url, body).then(
        (answer) => count(tally, answer),
        (error: unknown) => tally.failed.push(String(error)),
      )
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, client))
  return tally
}

function count(tally: Tally, { status, node, text }: Answered): void {
  if (status !== 200 || !text.includes('"finish_reason"')) {
    tally.failed.push(`${status} ${text.slice(0, 300)}`)
    return
  }
  const { usage } = JSON.parse(text) as { usage?: { prompt_tokens?: number; prompt_tokens_details?: { cached_tokens?: number } } }
  tally.nodes.set(node, (tally.nodes.get(node) ?? 0) + 1)
  tally.promptTokens += usage?.prompt_tokens ?? 0
  tally.cachedTokens += usage?.prompt_tokens_details?.cached_tokens ?? 0
}

export function chat(content: string, maxTokens: number, more: object = {}): string {
  return JSON.stringify({ model: 'sim-8b', max_tokens: maxTokens, messages: [{ role: 'user', content }], ...more })
}

/** `count` prompts from a few words to a thousand, answers from 4 to 48 tokens; the same each time. */
export function mixedBodies(count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const words = [8, 40, 200, 1000][(index * 7) % 4] ?? 8
    return chat(`request ${index} ${`word${index} `.repeat(words)}`, 4 + ((index * 13) % 45))
  })
}

/** `count` requests that share `prefixes` long beginnings. */
export function prefixedBodies(count: number, prefixes: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const prefix = (index * 7) % prefixes
    return chat(`${`story${prefix} goes on and on `.repeat(100)} question ${index}`, 4)
  })
}

/** The busiest node's share of requests in relation to the mean. */
export function spread({ nodes }: Tally, nodeCount: number): number {
  const total = [...nodes.values()].reduce((sum, value) => sum + value, 0)
  return Math.max(...nodes.values()) / (total / nodeCount)
}

/** Processor ticks that each data thread has used. Linux only. */
export function threadTicks(pid: number): Map<string, number> {
  const root = `/proc/${pid}/task`
  const ticks = new Map<string, number>()
  for (const task of readdirSync(root)) {
    const stat = readFileSync(join(root, task, 'stat'), 'utf8')
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'))
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (name.startsWith('lb-data-')) ticks.set(name, Number(fields[11]) + Number(fields[12]))
  }
  return ticks
}

/** Answers with a code, by the metrics text. */
export function answersIn(metrics: string): number {
  const lines = metrics.split('\n').filter((line) => line.startsWith('lb_gateway_requests_total{'))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** GET on the control socket of the topology in this house. */
export async function control<Value>(house: House, path: string): Promise<Value> {
  return getFrom(await controlSocket(house), path)
}

/** For those who ask often: finding it takes a process. */
export async function controlSocket(house: House): Promise<string> {
  return (JSON.parse((await house.lb(['paths', '--json'])).stdout) as { socketPath: string }).socketPath
}

export function getFrom<Value>(socketPath: string, path: string): Promise<Value> {
  return new Promise((resolve, reject) => {
    request({ socketPath, path }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve(JSON.parse(text) as Value))
    })
      .once('error', reject)
      .end()
  })
}
