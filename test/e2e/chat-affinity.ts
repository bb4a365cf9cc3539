/** Chats through the official `openai` client: several talks at once, each as closed a loop as a person's, with system prompts that many share. */
import { setTimeout as sleep } from 'node:timers/promises'
import OpenAI from 'openai'
import { House } from './house.js'

export interface ChatLoad {
  readonly talks: number
  readonly turns: number
  /** Different system prompts; talks share them in turn. */
  readonly systems: number
  /** Mean time that a person thinks before the next question. */
  readonly thinkMs: number
}

export interface ChatFigures {
  /** Of all prompt tokens, those that engines found in their caches. */
  readonly cachedShare: number
  readonly promptTokens: number
  readonly requests: number
  /** Talks whose every answer came from one node. */
  readonly oneNode: number
  readonly seconds: number
}

const SYSTEM_WORDS = 500
const QUESTION_WORDS = 120
const ANSWER_TOKENS = 60

/** Runs the load against eight simulated nodes behind a real balancer with this strategy, or the default, and takes both down again. */
export async function chatsOver(strategy: string | undefined, load: ChatLoad): Promise<ChatFigures> {
  const house = new House(`version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  demo:
    models: [sim-8b]${strategy === undefined ? '' : `\n    strategy: ${strategy}`}
    nodes:
      - { name: sim, engine: sim, launch: { replicas: 8, args: { profile: 8b-h100 } } }
`)
  try {
    const url = await house.up()
    const startedMs = performance.now()
    const talks = await Promise.all(Array.from({ length: load.talks }, (_, id) => talk(url, id, load)))
    const sum = (pick: (figures: TalkFigures) => number): number => talks.reduce((total, figures) => total + pick(figures), 0)
    return {
      cachedShare: sum(({ cachedTokens }) => cachedTokens) / sum(({ promptTokens }) => promptTokens),
      promptTokens: sum(({ promptTokens }) => promptTokens),
      requests: load.talks * load.turns,
      oneNode: talks.filter(({ nodes }) => nodes.size === 1).length,
      seconds: (performance.now() - startedMs) / 1_000,
    }
  } finally {
    await house.lb(['down', '--force'])
    await house.close()
  }
}

interface TalkFigures {
  promptTokens: number
  cachedTokens: number
  readonly nodes: Set<string>
}

/** One talk: each question follows the answer to the one before. */
async function talk(url: string, id: number, { turns, systems, thinkMs }: ChatLoad): Promise<TalkFigures> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'not-needed', maxRetries: 0 })
  const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'system', content: words(`s${id % systems}`, SYSTEM_WORDS) }]
  const figures: TalkFigures = { promptTokens: 0, cachedTokens: 0, nodes: new Set() }
  for (let turn = 0; turn < turns; turn += 1) {
    // Spread over 0.5 to 1.5 of the mean, the same in each run.
    await sleep(thinkMs * (0.5 + ((id * 7_919 + turn * 104_729) % 1_000) / 1_000))
    messages.push({ role: 'user', content: words(`q${id}-${turn}`, QUESTION_WORDS) })
    const { data, response } = await client.chat.completions
      .create({ model: 'sim-8b', messages, max_tokens: ANSWER_TOKENS, stream: true, stream_options: { include_usage: true } })
      .withResponse()
    let answer = ''
    for await (const { choices, usage } of data) {
      answer += choices[0]?.delta.content ?? ''
      figures.promptTokens += usage?.prompt_tokens ?? 0
      figures.cachedTokens += usage?.prompt_tokens_details?.cached_tokens ?? 0
    }
    figures.nodes.add(response.headers.get('x-lb-node') ?? '')
    messages.push({ role: 'assistant', content: answer })
  }
  return figures
}

/** Words that nothing else holds. */
function words(name: string, count: number): string {
  return Array.from({ length: count }, (_, index) => `${name}w${index}`).join(' ')
}

export function figuresText(strategy: string, { cachedShare, requests, promptTokens, oneNode, seconds }: ChatFigures): string {
  const share = `${(cachedShare * 100).toFixed(1)} %`.padStart(7)
  return `${strategy.padEnd(14)} cached ${share} of ${promptTokens} prompt tokens, ${requests} requests, ${oneNode} talks on one node, ${seconds.toFixed(1)} s`
}
