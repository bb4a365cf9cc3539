import { text as readAll } from 'node:stream/consumers'
import { LbError, type BalancerStatus } from '@plimsoll/core/client'
import { wrongInput } from '../wrong-input.js'
import type { Answer } from '../views/answer-text.js'
import { askGateway } from './ask-gateway.js'
import type { ControlClient } from './control-client.js'
import { openConnection, type ConnectionQuery } from './open-connection.js'

export interface AskOptions {
  readonly connection: ConnectionQuery
  /** `-` reads stdin. */
  readonly prompt: string
  readonly model?: string | undefined
  readonly maxTokens?: number | undefined
  readonly onText: (text: string) => void
}

/** Finds the gateway and a model that can answer, asks, and streams. An interrupt leaves the stream, which cancels it at the engine. */
export async function askBalancer(options: AskOptions): Promise<Answer> {
  const prompt = options.prompt === '-' ? await readAll(process.stdin) : options.prompt
  if (prompt.trim() === '') throw wrongInput('the prompt is empty', 'lb ask "your question"')
  const connection = await openConnection(options.connection)
  const life = new AbortController()
  const interrupt = (): void => life.abort()
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt)
  try {
    const status = await connection.client.status()
    const address = await connection.reach(status.gateway.listen[0] ?? '')
    const model = options.model ?? answeringModel(status)
    const apiKey = process.env['LB_API_KEY']
    const answer = await askGateway({
      address,
      model,
      prompt,
      maxTokens: options.maxTokens,
      apiKey,
      signal: life.signal,
      onText: options.onText,
    })
    return answer.node === null ? { ...answer, node: await nodeOf(answer, connection.client) } : answer
  } catch (error) {
    if (!life.signal.aborted) throw error
    throw new LbError('interrupted', {
      code: 'LB_INTERRUPTED',
      source: 'operator',
      hint: 'the engine was told to stop writing',
      cause: error,
    })
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
    connection.close()
  }
}

/** Of a request that had to wait, the head of the answer went out before anybody knew its node; its record knows. */
async function nodeOf({ requestId }: Answer, client: ControlClient): Promise<string | null> {
  if (requestId === null) return null
  return client.why(requestId).then(
    ({ record }) => record?.node ?? null,
    () => null,
  )
}

/** The first model of the first pool that has a ready node, else of the first pool: the gateway says best why that one cannot answer. */
function answeringModel(status: BalancerStatus): string {
  const pool = status.pools.find(({ nodes }) => nodes.some((node) => node.state === 'ready')) ?? status.pools[0]
  return pool?.models[0] ?? ''
}
