import type { PluginHost } from '../contracts/index.js'
import { LbError } from '../errors/index.js'
import type { Node } from '../nodes/index.js'
import type { GoldenAsker } from '../rollout/index.js'

const ANSWER_WITHIN_MS = 60_000
const TOKENS = 256

export interface GoldenAskerOptions {
  readonly host: PluginHost
  /** Of the new revision. */
  readonly nodes: () => readonly Node[]
  /** Of any pool. */
  readonly others: (pool: string) => readonly Node[]
}

interface Question {
  readonly face: 'openai-chat' | 'openai-embeddings'
  readonly body: object
  /** Absent: as the node calls it. */
  readonly model?: string | undefined
}

/** Asks nodes past the gateway: golden prompts are for one revision, and none of a client's requests. */
export function goldenAsker({ host, nodes, others }: GoldenAskerOptions): GoldenAsker {
  let turn = 0
  const ask = async (among: readonly Node[], question: Question): Promise<unknown> => {
    const ready = among.filter(({ state }) => state === 'ready')
    const node = ready[(turn += 1) % Math.max(1, ready.length)]
    if (node?.endpoint === undefined) throw noAnswer('no node is ready to be asked')
    return askNode(host, node, question)
  }
  const chat = async (among: readonly Node[], messages: unknown, maxTokens: number, model?: string): Promise<string> => {
    const body = { messages, max_tokens: maxTokens, temperature: 0, stream: false }
    return textOf(await ask(among, { face: 'openai-chat', body, model }))
  }
  return {
    ask: ({ prompt, messages, maxTokens = TOKENS, model }) =>
      chat(nodes(), messages ?? [{ role: 'user', content: prompt }], maxTokens, model),
    askPool: (pool, prompt) => chat(others(pool), [{ role: 'user', content: prompt }], TOKENS),
    embed: async (pool, texts) => vectorsOf(await ask(others(pool), { face: 'openai-embeddings', body: { input: texts } }), texts.length),
  }
}

async function askNode(host: PluginHost, { endpoint, plan, id }: Node, { face, body, model }: Question): Promise<unknown> {
  const path = endpoint?.backend.dialect.paths[face]
  if (endpoint === undefined || path === undefined) throw noAnswer(`${id} has no ${face === 'openai-chat' ? 'chat' : 'embeddings'}`)
  const name = plan.group.model ?? endpoint.backend.modelName ?? model ?? plan.pool.models[0]
  const signal = AbortSignal.timeout(ANSWER_WITHIN_MS)
  const headers = { ...endpoint.backend.dialect.headers.set, ...endpoint.authHeaders }
  const { status, text } = await host.send('POST', `${endpoint.url}${path}`, { body: { ...body, model: name }, headers, signal })
  if (status > 299) throw noAnswer(`${id} answered ${status}`)
  try {
    return JSON.parse(text)
  } catch {
    throw noAnswer(`${id} answered with something that is no JSON`)
  }
}

/** A plain answer's text; none is an empty one. */
function textOf(answer: unknown): string {
  const content = (answer as { choices?: readonly { message?: { content?: unknown } }[] } | null)?.choices?.[0]?.message?.content
  return typeof content === 'string' ? content : ''
}

function vectorsOf(answer: unknown, count: number): readonly (readonly number[])[] {
  const data = (answer as { data?: readonly { embedding?: unknown }[] } | null)?.data ?? []
  const vectors = data.flatMap(({ embedding }) => (Array.isArray(embedding) ? [embedding as readonly number[]] : []))
  if (vectors.length !== count) throw noAnswer(`${vectors.length} embeddings came for ${count} texts`)
  return vectors
}

function noAnswer(message: string): LbError {
  return new LbError(message, { code: 'LB_GOLDEN_UNANSWERED', source: 'engine' })
}
