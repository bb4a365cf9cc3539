import type { IncomingMessage, ServerResponse } from 'node:http'
import { answerWishes, writeAnswer } from './answer.js'
import { AnswerRun } from './answer-run.js'
import { chatShape, completionShape, type AnswerShape } from './answer-shape.js'
import { bodyWriter, streamWriter } from './answer-writer.js'
import { optionalString, parseJsonObject, type JsonObject } from './json-fields.js'
import { chatPrompt, completionPrompts, promptIds, type Prompt } from './prompt.js'
import { readBody } from './read-body.js'
import { Refusal } from './refusal.js'
import type { SimEngine } from './sim-engine.js'

interface Protocol {
  readonly idPrefix: string
  readonly shape: (identity: { id: string; model: string; createdSeconds: number }) => AnswerShape
  readonly prompts: (body: JsonObject) => readonly Prompt[]
}

const chat: Protocol = { idPrefix: 'chatcmpl', shape: chatShape, prompts: (body) => [chatPrompt(body)] }
const completion: Protocol = { idPrefix: 'cmpl', shape: completionShape, prompts: (body) => completionPrompts(body) }

export function handleChat(engine: SimEngine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  return answer(engine, chat, { request, response })
}

export function handleCompletion(engine: SimEngine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  return answer(engine, completion, { request, response })
}

/** Body and model of a request that the engine is able and willing to take. */
export async function admitRequest(engine: SimEngine, request: IncomingMessage): Promise<{ body: JsonObject; model: string }> {
  if (!/^application\/json\b/iu.test(request.headers['content-type'] ?? ''))
    throw new Refusal(400, "Unsupported Media Type: Only 'application/json' is allowed", { type: 'Bad Request' })
  const text = await readBody(request)
  refuseByState(engine)
  const fault = engine.faults.current
  if (fault?.kind === 'poison' && text.includes(fault.word)) engine.faults.ending.exit(134, `fault ${fault.kind}: aborted`)
  const body = parseJsonObject(text)
  const model = optionalString(body, 'model') ?? engine.models[0] ?? ''
  if (!engine.models.includes(model)) throw new Refusal(404, `The model \`${model}\` does not exist.`, { param: 'model' })
  return { body, model }
}

async function answer(
  engine: SimEngine,
  protocol: Protocol,
  exchange: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { request, response } = exchange
  const { body, model } = await admitRequest(engine, request)
  const wishes = answerWishes(body)
  const fault = engine.faults.current
  const parts = protocol.prompts(body).map((prompt) => {
    const { contextTokens } = engine
    const answer = writeAnswer(prompt, wishes, { seed: engine.settings.seed, contextTokens, fault })
    return { prompt, answer, promptIds: wishes.returnTokenIds ? promptIds(prompt, answer.place) : undefined }
  })
  if (response.destroyed) return
  const shape = protocol.shape({
    id: `${protocol.idPrefix}-${requestId(engine, request)}`,
    model,
    createdSeconds: Math.floor(Date.now() / 1000),
  })
  const halfAfter = Math.ceil(parts.reduce((sum, part) => sum + part.answer.tokenCount, 0) / 2)
  const options = { response, shape, fault }
  const run = new AnswerRun(
    engine,
    wishes.stream ? streamWriter({ ...options, includeUsage: wishes.includeUsage, halfAfter }) : bodyWriter(options),
  )
  // Also for a request that is still queued: otherwise a client that left would hold its place until its answer was done.
  response.on('close', () => run.abort())
  run.start(parts)
}

function refuseByState(engine: SimEngine): void {
  if (engine.loading !== undefined) throw new Refusal(503, 'Loading model', { type: 'unavailable_error' })
  if (engine.isAsleep) {
    engine.askedWhileAsleep++
    throw new Refusal(503, 'Asleep: its weights are not on the GPU')
  }
  if (engine.faults.current?.kind === 'die') engine.faults.ending.die()
  if (engine.faults.current?.kind === 'storm-503') throw new Refusal(503, 'Simulated storm: the engine takes no requests')
  if (engine.faults.draws('busy')) throw new Refusal(429, 'Simulated rush: ask again later', { type: 'TooManyRequestsError' })
  if (!engine.faults.draws('errors')) return
  engine.metrics.finished.error++
  throw new Refusal(500, 'Simulated engine error')
}

function requestId(engine: SimEngine, request: IncomingMessage): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && given !== '' ? given : `${Math.floor(engine.startedMs)}-${process.pid}-${engine.received}`
}
