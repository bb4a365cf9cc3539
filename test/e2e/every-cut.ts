/** Every place at which an answer can break off, byte for byte, and what its client reads then: nothing but the answer. */
import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createBalancer, defineTopology } from '@plimsoll/core'
import { plugin as sim } from '@plimsoll/plugin-sim'
import { startSimServer, type SimServer } from '@plimsoll/plugin-sim/server'
import { expect } from 'vitest'
import { startByteCutter, type ByteCuts } from './byte-cutter.js'
import type { TcpProxy } from './tcp-proxy.js'
import { inTurns } from './stream-reader.js'

/** These seeds give answers with characters of two, three and four bytes. */
const TOKENS = 23
const faces = {
  chat: { path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: 'Fjörd 灯台 🚢?' }], seed: 272 } },
  completion: { path: '/v1/completions', body: { prompt: 'Once upon a time ', seed: 116 } },
} as const

type Pool = 'exact' | 'text'

export type CutFace = keyof typeof faces

const cuts: ByteCuts = new Map()
const sims: SimServer[] = []
const cutters: TcpProxy[] = []
let balancer: ReturnType<typeof createBalancer> | undefined
let front: Server | undefined
let port = 0

/** Two simulated engines, each behind a proxy that cuts, and a balancer in front of them. */
export async function openCutting(): Promise<void> {
  for (let index = 0; index < 2; index += 1) {
    sims.push(await startSimServer({ port: 0, models: ['exact', 'text'] }))
    cutters.push(await startByteCutter(sims[index]?.port ?? 0, cuts))
  }
  const attach = cutters.map(({ url }) => url)
  const pool = (continuation: Pool) => ({
    continuation,
    strategy: 'round-robin',
    health: { eject: 'off' as const },
    nodes: [{ name: 'n', engine: 'sim', attach }],
  })
  balancer = createBalancer({
    topology: defineTopology({ name: 'every-cut', pools: { exact: pool('exact'), text: pool('text') } }),
    engines: [sim],
  })
  await balancer.start()
  const server = createServer((incoming, response) => balancer?.handler(incoming, response))
  front = server
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
}

export async function closeCutting(): Promise<void> {
  front?.closeAllConnections()
  front?.close()
  await balancer?.close()
  for (const each of [...cutters, ...sims]) await each.close()
}

let asked = 0

/** The answer's bytes as its client reads them; through a raw request, so that no client library smooths anything over. */
function read(base: { port: number }, face: CutFace, model: string, breaks: number[] = []): Promise<string> {
  const id = `cut-${(asked += 1)}`
  cuts.set(id, breaks)
  const body = JSON.stringify({ model, ...faces[face].body, max_tokens: TOKENS, stream: true, stream_options: { include_usage: true } })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-request-id': id }
  return new Promise((resolve, reject) => {
    const sent = request({ port: base.port, host: '127.0.0.1', path: faces[face].path, method: 'POST', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => (text += part))
      response.on('end', () => resolve(text))
      response.on('error', reject)
    })
    sent.on('error', reject)
    sent.end(body)
  })
}

const comment = /^: lb continued this answer on \S+\n\n/gmu

/** What a client hears that has waited for long, as on a busy machine. */
const WAITING = /^: lb waits with you\n\n/gmu

/** Without what tells one try from another: its id, its second, what was in the cache. */
function plain(text: string): string {
  return text
    .replaceAll(/,"prompt_tokens_details":\{[^}]*\}/g, '')
    .replaceAll(comment, '')
    .replaceAll(WAITING, '')
    .replaceAll(/"id":"[^"]*"/g, '"id"')
    .replaceAll(/"created":\d+/g, '"created"')
}

function identities(text: string): number {
  return new Set(text.match(/"id":"[^"]*","object":"[^"]*","created":\d+/g)).size
}

/** Where it came too late to be told, usage is what lb counted; and the end of an answer without a word counts as a token at the simulated engine. */
const withoutUsage = (text: string): string => text.replaceAll(/"usage":\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}/g, '"usage"')

/** Asks again and again, cut one step further each time, every third time twice; throws where its client reads anything but the answer. */
export async function everyCut(face: CutFace, model: Pool, step: number): Promise<{ cut: number; again: number; otherUsage: number }> {
  const direct = { port: sims[0]?.port ?? 0 }
  const through = { port }
  const whole = await read(direct, face, model)
  const whole2 = plain(await read(through, face, model))
  expect(whole2).toBe(plain(whole))
  expect(whole2).toMatch(/[⚓🚢]/u)
  expect(whole2).toMatch(/[éöÜ]/u)
  // With its head, its chunk framing and the ids that exact asks for, an answer is longer than what is read of it.
  const bytes = Math.ceil(Buffer.byteLength(whole) * (model === 'exact' ? 1.25 : 1.06)) + 400
  const places = Array.from({ length: Math.ceil(bytes / step) }, (_, index) => index * step)
  let again = 0
  let otherUsage = 0
  await inTurns(places, 8, async (place, index) => {
    const text = await read(through, face, model, index % 3 === 2 ? [place, Math.floor(place / 2)] : [place])
    expect(withoutUsage(plain(text)), `cut behind byte ${place}`).toBe(withoutUsage(whole2))
    expect(identities(text), `cut behind byte ${place}`).toBe(1)
    again += text.match(comment)?.length ?? 0
    if (plain(text) !== whole2) otherUsage += 1
  })
  return { cut: places.length, again, otherUsage }
}
