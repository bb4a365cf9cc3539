import {
  type AnswerClass,
  type Continuation,
  type Dialect,
  type ExactContinuation,
  type Handover,
  openaiBase,
  openaiDialect,
} from '@plimsoll/core/plugin'

/** OpenAI's dialect, plus what vLLM does otherwise (source read at 5eaa70dac, 2026-08-07). `withPriority`: it schedules by priority. */
export function vllmDialect(url: string, withPriority = false): Dialect {
  const usual = openaiDialect()
  return openaiDialect({
    paths: openaiBase(url).paths,
    // A client cannot know which node it gets: a rank that this one lacks is answered 400, and a priority without the policy likewise.
    headers: { strip: ['x-data-parallel-rank', ...(withPriority ? [] : ['x-vllm-priority'])] },
    classify: (status, headers, bodyStart) => classify(status, bodyStart) ?? usual.classify(status, headers, bodyStart),
    /** `[DONE]` follows an error too, and a server that shuts down ends streams in good form with the reason `abort`. */
    streamEnd: (tail) => (badEnd.test(tail) || errorEvent.test(tail) ? 'error' : usual.streamEnd(tail)),
    isUnserved,
    handover,
    continuation,
  })
}

/** Prefill and decode on different nodes, as the NixlConnector has it: the second node pulls the blocks from where the first one says that they lie. */
const handover: Handover = {
  faces: ['openai-chat', 'openai-completions'],
  field: 'kv_transfer_params',
  ask: '{"do_remote_decode":true,"do_remote_prefill":false,"remote_engine_id":null,"remote_block_ids":null,"remote_host":null,"remote_port":null}',
}

/** Ids of the prompt come with the first event, those of the text with each; ids are a prompt of /v1/completions, which ends after 16 tokens where no limit is set. */
const byIds: ExactContinuation = {
  ask: { return_token_ids: 'true' },
  field: 'token_ids',
  tokensOf: (value) => (Array.isArray(value) ? { ids: value.filter((id) => typeof id === 'number') } : undefined),
  promptField: 'prompt_token_ids',
  needsLimit: true,
}

/** By text it leaves the last message open; where its template does not end with that text, it refuses. */
const continuation: Continuation = {
  text: { 'openai-chat': { set: { continue_final_message: 'true', add_generation_prompt: 'false' } }, 'openai-completions': {} },
  exact: { 'openai-chat': byIds, 'openai-completions': byIds },
}

const badEnd = /"finish_reason":\s*"(?:abort|error)"/
const errorEvent = /^data:\s*\{\s*"error"/m

function classify(status: number, bodyStart: string): AnswerClass | undefined {
  // Elastic scaling answers every path with 503 and an error that is a plain string; limits of the queue (0.33) say that another one may be asked. Both pass.
  if (status === 503 && pausing.test(bodyStart)) return 'cooldown'
  // The key between lb and this node is wrong; the client can do nothing about it.
  if (status === 401 && bodyStart.includes('Unauthorized')) return 'retry'
  // An adapter may be loaded at another node of the pool; where it is nowhere, the client gets this 404 after all.
  if (status === 404 && bodyStart.includes('NotFoundError') && bodyStart.includes('does not exist')) return 'retry'
  if (status === 500 && deadEngine.test(bodyStart)) return 'death'
  return undefined
}

/** What clients are told since 0.33 hides the reason, but nothing else is told so. */
const deadEngine =
  /EngineDeadError|EngineCore encountered an issue|cannot schedule new futures after shutdown|The server had an error while processing your request|Engine ?core.{0,40}(?:died|dead)/i

const pausing = /currently scaling|cannot accept new requests|backlog limit|Generation is paused/

/** While it drains, vLLM takes new requests and answers each 200 with the reason `abort` and no text. */
function isUnserved(body: string): boolean {
  if (!/"finish_reason":\s*"abort"/.test(body)) return false
  const counted = /"completion_tokens":\s*(\d+)/.exec(body)?.[1]
  return counted === '0' || (counted === undefined && !/"(?:content|text)":\s*"[^"]/.test(body))
}
