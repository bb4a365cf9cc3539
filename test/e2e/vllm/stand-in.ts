/**
 * Stands in for `vllm serve` where there is none: the same flags, the same log lines, nothing listening while it loads, the same routes, metrics and
 * manners at its end. Written from vLLM's source (main 5eaa70dac, 2026-08-07). The weights' folder may hold `script.json` with what is to happen.
 */
import { spawn } from 'node:child_process'
import { appendFileSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'

interface Script {
  /** How long loading takes. */
  readonly loadMs?: number
  /** Said instead of becoming ready; then it exits with 1. */
  readonly dies?: readonly string[]
}

function say(line: string, who = 'APIServer'): void {
  process.stdout.write(`(${who} pid=${process.pid}) INFO 11-21 10:00:00 [stand_in.py:1] ${line}\n`)
}

const known = new Set(
  [
    'host port served-model-name max-model-len max-num-seqs enable-prompt-tokens-details enable-lora enable-sleep-mode lora-modules',
    'shutdown-timeout enable-expert-parallel enable-eplb eplb-config tensor-parallel-size',
  ].flatMap((line) => line.split(' ')),
)

/** A flag takes all that follows it up to the next one, as argparse does where it may have several values. */
function readFlags(): { readonly model: string; readonly values: Record<string, string[]> } {
  const [command, model = '', ...rest] = process.argv.slice(2)
  const values: Record<string, string[]> = {}
  let name = ''
  for (const part of rest) {
    if (part.startsWith('--')) values[(name = part.slice(2))] = []
    else values[name]?.push(part)
  }
  const strange = Object.keys(values).filter((flag) => !known.has(flag))
  if (command !== 'serve' || strange.length > 0) {
    process.stderr.write(`usage: vllm serve [model_tag] [options]\nvllm: error: unrecognized arguments: --${strange.join(' --')}\n`)
    process.exit(2)
  }
  return { model, values }
}

const { model, values } = readFlags()
const names = values['served-model-name'] ?? [model]
const contextTokens = Number(values['max-model-len']?.[0] ?? 4096)
const adapters = new Map((values['lora-modules'] ?? []).map((entry) => entry.split('=') as [string, string]))
const key = process.env['VLLM_API_KEY']
const isDev = process.env['VLLM_SERVER_DEV_MODE'] === '1'
const mayChange = process.env['VLLM_ALLOW_RUNTIME_LORA_UPDATING'] === '1'
const script = readScript()
let draining = false
let asleep = false
let running = 0
let steps = 0

function readScript(): Script {
  try {
    return JSON.parse(readFileSync(join(model, 'script.json'), 'utf8')) as Script
  } catch {
    return {}
  }
}

async function load(): Promise<void> {
  say('vLLM API server version 0.21.0')
  if (process.env['VLLM_PORT'] !== undefined) say('VLLM_PORT moves the inner ports')
  say('Resolved architecture: Qwen3ForCausalLM')
  say(`Initializing a V1 LLM engine (v0.21.0) with config: model='${model}'`, 'EngineCore')
  const rounds = 10
  for (let round = 0; round <= rounds; round += 1) {
    process.stderr.write(`\rLoading safetensors checkpoint shards: ${round * 10}% Completed | ${round}/${rounds} [00:01<00:00,  9.9it/s]`)
    await wait((script.loadMs ?? 100) / rounds)
  }
  process.stderr.write('\n')
  for (const line of script.dies ?? [])
    process.stderr.write(`(EngineCore pid=${process.pid}) ERROR 11-21 10:00:01 [core.py:1346] ${line}\n`)
  if (script.dies !== undefined) {
    process.stderr.write('RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}\n')
    process.exit(1)
  }
  say('Model loading took 7.64 GiB memory and 1.0 seconds', 'EngineCore')
  say('GPU KV cache size: 188,512 tokens', 'EngineCore')
  say('Graph capturing finished in 1 secs, took 0.38 GiB', 'EngineCore')
  if (values['eplb-config']?.[0]?.includes('"log_balancedness":true') === true)
    say(
      'EPLB step: 7 for model m: avg_tokens=80.00, max_tokens=100, balancedness=0.8000, steps until the next rearrangement: 3',
      'EngineCore',
    )
}

/** The engine is a process of its own; killing only the front end would leave it, and the GPU's memory with it. */
function startWorker(): void {
  const worker = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)', 'VLLM::EngineCore'], { stdio: 'ignore' })
  process.once('exit', () => worker.kill('SIGKILL'))
}

function metrics(): string {
  const labels = `engine="0",model_name="${names[0]}"`
  return `vllm:num_requests_running{${labels}} ${running}.0
vllm:num_requests_waiting{${labels}} 0.0
vllm:kv_cache_usage_perc{${labels}} 0.125
vllm:engine_sleep_state{${labels},sleep_state="awake"} ${asleep ? 0 : 1}.0
vllm:engine_sleep_state{${labels},sleep_state="weights_offloaded"} ${asleep ? 1 : 0}.0
vllm:prompt_tokens_total{${labels}} 100.0
vllm:prompt_tokens_cached_total{${labels}} 40.0
vllm:iteration_tokens_total_count{${labels}} ${steps}.0
vllm:cache_config_info{block_size="16",num_gpu_blocks="11782",engine="0"} 1.0
`
}

function put(toSleep: boolean): Answer {
  asleep = toSleep
  return [200, '']
}

function card(id: string, parent: string | null): object {
  return { id, object: 'model', created: 1, owned_by: 'vllm', root: model, parent, max_model_len: contextTokens, permission: [] }
}

type Answer = readonly [status: number, body: unknown]

function refusal(code: number, type: string, message: string, param: string | null = null): Answer {
  return [code, { error: { message, type, param, code } }]
}

function plainRoute(path: string, body: Record<string, unknown>): Answer | undefined {
  if (path === '/health') return [200, '']
  if (path === '/version') return [200, { version: '0.21.0' }]
  if (path === '/metrics') return [200, metrics()]
  if (path === '/v1/models') {
    const own = names.map((name) => card(name, null))
    return [200, { object: 'list', data: [...own, ...[...adapters.keys()].map((name) => card(name, names[0] ?? null))] }]
  }
  if (mayChange && path === '/v1/load_lora_adapter') {
    adapters.set(String(body['lora_name']), String(body['lora_path']))
    return [200, `Success: LoRA adapter '${String(body['lora_name'])}' added successfully.`]
  }
  if (isDev && path.startsWith('/sleep')) return put(true)
  if (isDev && path.startsWith('/wake_up')) return put(false)
  return undefined
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const path = request.url ?? ''
  const parts: Buffer[] = []
  for await (const part of request as AsyncIterable<Buffer>) parts.push(part)
  const text = Buffer.concat(parts).toString('utf8')
  if (key !== undefined && /^\/(v1|v2|inference|cohere)/.test(path) && request.headers.authorization !== `Bearer ${key}`)
    return send(response, [401, { error: 'Unauthorized' }])
  const body = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  const plain = plainRoute(path, body)
  if (plain !== undefined) return send(response, plain)
  if (path !== '/v1/chat/completions') return send(response, [404, { detail: 'Not Found' }])
  await chat(body, response)
}

async function chat(body: Record<string, unknown>, response: ServerResponse): Promise<void> {
  const asked = typeof body['model'] === 'string' ? body['model'] : (names[0] ?? '')
  if (!names.includes(asked) && !adapters.has(asked))
    return send(response, refusal(404, 'NotFoundError', `The model \`${asked}\` does not exist.`, 'model'))
  const tokens = draining ? 0 : Number(body['max_tokens'] ?? 4)
  if (tokens > contextTokens)
    return send(
      response,
      refusal(
        400,
        'BadRequestError',
        `This model's maximum context length is ${contextTokens} tokens. However, you requested ${tokens} output tokens`,
        'input_tokens',
      ),
    )
  running += 1
  try {
    if (body['stream'] === true) await stream(tokens, response)
    else await whole(tokens, response)
  } finally {
    running -= 1
  }
}

const reason = () => (draining ? 'abort' : 'length')
const usage = (tokens: number) => ({
  prompt_tokens: 9,
  completion_tokens: tokens,
  total_tokens: 9 + tokens,
  prompt_tokens_details: tokens % 2 === 0 ? { cached_tokens: 8 } : null,
})

async function whole(tokens: number, response: ServerResponse): Promise<void> {
  await generate(tokens, response, () => undefined)
  const message = { role: 'assistant', content: 'word '.repeat(draining ? 0 : tokens).trim() }
  send(response, [
    200,
    { id: 'chatcmpl-1', object: 'chat.completion', choices: [{ index: 0, message, finish_reason: reason() }], usage: usage(tokens) },
  ])
}

async function stream(tokens: number, response: ServerResponse): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
  const event = (choices: object[], more: object = {}) =>
    response.write(`data: ${JSON.stringify({ id: 'chatcmpl-1', object: 'chat.completion.chunk', choices, ...more })}\n\n`)
  event([{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }])
  await generate(tokens, response, () => event([{ index: 0, delta: { content: 'word ' }, finish_reason: null }]))
  event([{ index: 0, delta: { content: '' }, finish_reason: reason() }])
  event([], { usage: usage(tokens) })
  response.end('data: [DONE]\n\n')
}

async function generate(tokens: number, response: ServerResponse, onToken: () => void): Promise<void> {
  for (let made = 0; made < tokens; made += 1) {
    await wait(2)
    if (draining || response.destroyed) return
    steps += 1
    onToken()
  }
}

function send(response: ServerResponse, [status, body]: Answer): void {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

/** Until its end it takes requests and answers each with nothing and the reason `abort`. A second signal is not heard. */
function onTerm(): void {
  if (draining) return
  draining = true
  const log = process.env['STAND_IN_SIGNALS']
  if (log !== undefined) appendFileSync(log, `${process.pid} SIGTERM\n`)
  setTimeout(() => process.exit(0), 1000 * Number(values['shutdown-timeout']?.[0] ?? 0) + 300)
}

process.on('SIGTERM', onTerm)
startWorker()
await load()
const server = createServer({ keepAliveTimeout: 1000 * Number(process.env['VLLM_HTTP_TIMEOUT_KEEP_ALIVE'] ?? 5) }, (request, response) => {
  void serve(request, response).catch(() => response.destroy())
})
server.listen({ host: values['host']?.[0] ?? '0.0.0.0', port: Number(values['port']?.[0] ?? 8000) }, () =>
  say('Application startup complete.'),
)
