import { chainBlocks } from '@plimsoll/engine-model'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { admitRequest } from './inference.js'
import { optionalCount, optionalString } from './json-fields.js'
import { completionPrompts, type Prompt } from './prompt.js'
import { Refusal } from './refusal.js'
import type { SimEngine } from './sim-engine.js'

const defaultDimensions = 64

/** Vectors that depend on the text alone; texts that share words are near each other. The prefill takes the engine's time, as a real one does. */
export async function handleEmbeddings(engine: SimEngine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { body, model } = await admitRequest(engine, request)
  const prompts = completionPrompts(body, 'input')
  const dimensions = optionalCount(body, 'dimensions') ?? defaultDimensions
  if (dimensions > 4096) throw new Refusal(400, 'dimensions must be at most 4096', { param: 'dimensions' })
  for (const { tokens } of prompts)
    if (tokens.length > engine.contextTokens)
      throw new Refusal(400, `This model's maximum context length is ${engine.contextTokens} tokens, not ${tokens.length}.`, {
        param: 'input',
      })
  const inBase64 = optionalString(body, 'encoding_format') === 'base64'
  if (response.destroyed || !(await prefillAll(engine, response, prompts))) return
  const data = prompts.map((prompt, index) => {
    const vector = embed(prompt.tokens, dimensions)
    return { object: 'embedding', index, embedding: inBase64 ? Buffer.from(vector.buffer).toString('base64') : [...vector] }
  })
  const tokens = prompts.reduce((sum, prompt) => sum + prompt.tokens.length, 0)
  const usage = { prompt_tokens: tokens, total_tokens: tokens, completion_tokens: 0 }
  engine.metrics.promptTokens += tokens
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ object: 'list', data, model, usage }))
}

/** False when the client left before the end; its sequences are out of the engine by then. */
function prefillAll(engine: SimEngine, response: ServerResponse, prompts: readonly Prompt[]): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const open = new Set<string>()
  response.on('close', () => {
    for (const id of open) engine.driver.cancel(id)
    resolve(false)
  })
  for (const { tokens } of prompts) {
    const id = engine.nextId()
    open.add(id)
    const request = { id, promptTokens: tokens.length, outputTokens: 0, blockHashes: chainBlocks(tokens, engine.model.blockTokens) }
    engine.driver.submit(request, {
      onProgress() {
        open.delete(id)
        engine.metrics.finished.stop++
        if (open.size === 0) resolve(true)
      },
    })
  }
  return promise
}

/** Each token points somewhere; the text points where its tokens do, at length 1. */
function embed(tokens: readonly number[], dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  for (const token of tokens) {
    for (let turn = 0, hash = token | 1; turn < 8; turn++) {
      hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
      const at = (hash >>> 1) % dimensions
      vector[at] = (vector[at] ?? 0) + ((hash & 1) === 0 ? 1 : -1)
    }
  }
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}
