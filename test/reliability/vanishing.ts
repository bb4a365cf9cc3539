/** Clients that leave in the middle, and an engine that notes when it sees them gone. */
import { request } from 'node:http'
import { setTimeout as pause } from 'node:timers/promises'
import { Seeded } from '../e2e/seeded.js'
import { ScriptedEngine, type ScriptedCall } from './scripted-engine.js'
import type { Start, Subject } from './subjects.js'

export type Stage = 'plain' | 'stream, prefill' | 'stream, begun'

export const stages: readonly Stage[] = ['plain', 'stream, prefill', 'stream, begun']

export interface Vanished {
  readonly stage: Stage
  /** From the client's leaving to the close that the engine sees; infinite where it saw none in time. */
  readonly closedAfterMs: number
}

const EVENT_EVERY_MS = 20
/** An answer that takes longer than any client stays. */
const ANSWER_MS = 8_000
const LEAVES_AFTER_MS = { min: 20, max: 400 }
const WAITS_FOR_CLOSE_MS = 3_000

const event = (content: string): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'sim-8b', choices: [{ index: 0, delta: { content }, finish_reason: null }] })}\n\n`

/** When each client was gone, as the engine saw it. */
class Witness {
  readonly begun = new Map<number, () => void>()
  readonly closedAtMs = new Map<number, number>()
  open = 0

  readonly script = (call: ScriptedCall): void => {
    const [, client = '-1', stage = ''] = /"user":"(\d+)\|([a-z, ]+)"/u.exec(call.body) ?? []
    const { response } = call
    this.open += 1
    const end = setTimeout(() => response.end(), ANSWER_MS)
    const talk = stage === 'stream, begun' ? this.talk(call) : undefined
    response.once('close', () => {
      this.open -= 1
      clearTimeout(end)
      clearInterval(talk)
      if (!response.writableFinished) this.closedAtMs.set(Number(client), performance.now())
    })
    this.begun.get(Number(client))?.()
  }

  private talk({ response }: ScriptedCall): NodeJS.Timeout {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(event('begun'))
    return setInterval(() => response.write(event(' on')), EVENT_EVERY_MS)
  }
}

export interface VanishingOptions {
  readonly subject: Start
  readonly clients: number
  readonly concurrency: number
  readonly seed: number
}

export interface Vanishing {
  readonly subject: string
  readonly vanished: readonly Vanished[]
  /** Requests that the engine still worked on a second after the last client had left. */
  readonly openAfterASecond: number
}

/** Clients in turns: each is in its stage when it leaves, by a reset every other time. */
export async function vanishing({ subject: start, clients, concurrency, seed }: VanishingOptions): Promise<Vanishing> {
  const witness = new Witness()
  const engine = await ScriptedEngine.start(witness.script)
  const random = new Seeded(seed)
  const stays = Array.from({ length: clients }, () => LEAVES_AFTER_MS.min + random.below(LEAVES_AFTER_MS.max - LEAVES_AFTER_MS.min))
  try {
    const subject = await start([engine.url])
    try {
      const leftAtMs = new Map<number, number>()
      let next = 0
      const lane = async (): Promise<void> => {
        for (let client = next++; client < clients; client = next++)
          leftAtMs.set(client, await leave(subject, witness, { client, stayMs: stays[client] ?? 0 }))
      }
      await Promise.all(Array.from({ length: concurrency }, lane))
      await pause(1_000)
      const openAfterASecond = witness.open
      await pause(WAITS_FOR_CLOSE_MS - 1_000)
      const vanished = [...leftAtMs].map(([client, atMs]) => ({
        stage: stageOf(client),
        closedAfterMs: (witness.closedAtMs.get(client) ?? Number.POSITIVE_INFINITY) - atMs,
      }))
      return { subject: subject.name, vanished, openAfterASecond }
    } finally {
      await subject.close()
    }
  } finally {
    await engine.close()
  }
}

const stageOf = (client: number): Stage => stages[client % stages.length] ?? 'plain'

/** Resolves with the moment in which the client left. */
async function leave({ url }: Subject, witness: Witness, { client, stayMs }: { client: number; stayMs: number }): Promise<number> {
  const stage = stageOf(client)
  const arrived = new Promise<void>((resolve) => witness.begun.set(client, resolve))
  const body = JSON.stringify({
    model: 'sim-8b',
    user: `${client}|${stage}`,
    stream: stage !== 'plain',
    messages: [{ role: 'user', content: 'a story' }],
  })
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
  const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers, agent: false })
  const failed = new Promise<never>((_resolve, reject) => sent.once('error', reject))
  failed.catch(() => undefined)
  const content = new Promise<void>((resolve) =>
    sent.once('response', (answer) => answer.on('error', () => undefined).once('data', () => resolve())),
  )
  sent.end(body)
  await Promise.race([stage === 'stream, begun' ? content : arrived, failed, late()])
  await pause(stayMs)
  if (client % 2 === 0) sent.destroy()
  else sent.socket?.resetAndDestroy()
  return performance.now()
}

async function late(): Promise<never> {
  await pause(20_000, undefined, { ref: false })
  throw new Error('a request did not reach the engine within 20 s')
}
