/** An Ollama by its manners, without a model: shapes from its source at fb307609, none recorded. Runs in a test, and as a process in test/e2e/stand-ins. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

interface Asked {
  readonly method: string
  readonly path: string
  readonly host: string | undefined
  readonly authorization: string | undefined
  readonly body: Readonly<Record<string, unknown>>
}

interface Pulled {
  readonly size: number
  readonly digest: string
  readonly remoteHost?: string
}

type Answer = readonly [status: number, body: string]

export class ScriptedOllama {
  readonly asked: Asked[] = []
  readonly pulled = new Map<string, Pulled>()
  /** In memory, with what of it is on a GPU. */
  readonly loaded = new Map<string, { readonly size: number; readonly vram: number; readonly context: number }>()
  /** Answers that replace its own, by path. */
  readonly answers: Record<string, Answer> = {}
  /** Lines of a pull; the model is there after `success`. */
  pullLines: (model: string) => readonly object[] = (model) => usualPull(model)
  /** What a model is like that was pulled, where it is not as usual. */
  pullBrings: Partial<Pulled> = {}
  /** What a pull waits for behind each of its lines. */
  afterPullLine: (index: number) => Promise<unknown> = () => Promise.resolve()
  /** A load ends when this does. */
  loading: () => Promise<unknown> = () => Promise.resolve()
  loadFails: Answer | undefined
  /** For one more, the one that was loaded first has to go. */
  maxLoaded = Infinity
  /** Loads that ended because their request did. */
  abortedLoads = 0
  /** Requests that run: a model that was told to go stays until they have ended. */
  busy = 0
  /** Called when a model was pulled. */
  onPulled: () => void = () => undefined
  /** A stream ends without its end. */
  cutsStreams = false
  url = ''
  private readonly leaving = new Set<string>()
  private readonly server: Server

  constructor() {
    this.server = createServer((request, response) => void this.serve(request, response).catch(() => response.destroy()))
  }

  async listen(port = 0): Promise<this> {
    await new Promise<void>((resolve, reject) => this.server.once('error', reject).listen(port, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
    return this
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    this.server.closeAllConnections()
    await closed
  }

  add(name: string, more: Partial<Pulled> = {}): void {
    this.pulled.set(name, { size: 2_000_000_000, digest: digestOf(name), ...more })
  }

  paths(): string[] {
    return this.asked.map(({ path }) => path)
  }

  finishRequests(): void {
    this.busy = 0
    for (const name of this.leaving) this.loaded.delete(name)
    this.leaving.clear()
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    const body = await bodyOf(request)
    const { host, authorization } = request.headers
    this.asked.push({ method: request.method ?? '', path, host, authorization, body })
    if (!/^(127\.0\.0\.1|localhost)(:\d+)?$/.test(host ?? '')) return say(response, [403, ''])
    const scripted = this.answers[path]
    if (scripted !== undefined) return say(response, scripted)
    if (path === '/api/version') return say(response, [200, '{"version":"0.33.0"}'])
    if (path === '/api/tags') return say(response, [200, JSON.stringify({ models: [...this.pulled].map(tagOf) })])
    if (path === '/api/ps') return say(response, [200, JSON.stringify({ models: [...this.loaded].map(runningOf) })])
    if (path === '/api/pull') return this.pull(response, String(body['model']))
    if (path === '/api/copy') return this.copy(response, withTag(String(body['source'])), withTag(String(body['destination'])))
    if (path === '/api/delete') return say(response, [this.pulled.delete(withTag(String(body['model']))) ? 200 : 404, ''])
    if (path === '/api/generate') return this.generate(response, body)
    if (path === '/v1/chat/completions') return this.chat(response, body)
    if (path === '/') return say(response, [200, 'Ollama is running'])
    return say(response, [404, '404 page not found'])
  }

  private async pull(response: ServerResponse, model: string): Promise<void> {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    for (const [index, line] of this.pullLines(model).entries()) {
      response.write(`${JSON.stringify(line)}\n`)
      await this.afterPullLine(index)
      if (response.destroyed) return
      if ('status' in line && line.status === 'success') this.add(withTag(model), this.pullBrings)
    }
    this.onPulled()
    response.end()
  }

  private copy(response: ServerResponse, source: string, destination: string): void {
    const found = this.pulled.get(source)
    if (found === undefined) return say(response, [404, JSON.stringify({ error: `model "${source}" not found` })])
    // Newest first, as the list is.
    const others = [...this.pulled].filter(([name]) => name !== destination)
    this.pulled.clear()
    for (const [name, model] of [[destination, found] as const, ...others]) this.pulled.set(name, model)
    say(response, [200, ''])
  }

  private async generate(response: ServerResponse, { model, keep_alive: keepAlive }: Readonly<Record<string, unknown>>): Promise<void> {
    const name = withTag(String(model))
    if (!this.pulled.has(name)) return say(response, [404, JSON.stringify({ error: `model '${String(model)}' not found` })])
    if (typeof keepAlive === 'string' && !/[a-z]$/.test(keepAlive))
      return say(response, [400, `{"error":"time: missing unit in duration"}`])
    if (keepAlive === 0) return this.unload(response, name)
    if (!(await this.load(response, name))) return
    say(response, [200, JSON.stringify({ model, created_at: '2026-11-21T00:00:00Z', response: '', done: true, done_reason: 'load' })])
  }

  private unload(response: ServerResponse, name: string): void {
    if (this.busy === 0) this.loaded.delete(name)
    else this.leaving.add(name)
    say(response, [200, '{"response":"","done":true,"done_reason":"unload"}'])
  }

  /** A load ends with the request that began it. */
  private async load(response: ServerResponse, name: string): Promise<boolean> {
    if (this.loaded.has(name)) return true
    const gone = new Promise<'gone'>((resolve) => response.once('close', () => resolve('gone')))
    if ((await Promise.race([this.loading(), gone])) === 'gone') this.abortedLoads += 1
    if (response.destroyed) return false
    if (this.loadFails !== undefined) {
      say(response, this.loadFails)
      return false
    }
    const [oldest = ''] = this.loaded.keys()
    if (this.loaded.size >= this.maxLoaded) this.loaded.delete(oldest)
    this.loaded.set(name, { size: 3_000_000_000, vram: 3_000_000_000, context: 8192 })
    return true
  }

  private async chat(response: ServerResponse, { model, stream }: Readonly<Record<string, unknown>>): Promise<void> {
    const name = withTag(String(model))
    if (!this.pulled.has(name)) return say(response, [404, openAiError(`model '${String(model)}' not found`, 'not_found_error')])
    if (!(await this.load(response, name))) return
    if (stream !== true) return say(response, [200, completion(String(model))])
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const content of ['Hello', ' there']) response.write(chunk(String(model), content, null))
    // A failure in mid-stream is an empty content chunk, and then nothing.
    if (this.cutsStreams) return void response.end(chunk(String(model), '', null))
    response.end(`${chunk(String(model), '', 'stop')}data: [DONE]\n\n`)
  }
}

export async function startScriptedOllama(...models: string[]): Promise<ScriptedOllama> {
  const server = new ScriptedOllama()
  for (const model of models) server.add(model)
  return server.listen()
}

export function withTag(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1).includes(':') ? name : `${name}:latest`
}

export function digestOf(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64)
}

/** What a pull of two parts says. */
export function usualPull(model: string): object[] {
  const digest = digestOf(model)
  const part = (completed: number) => ({ status: `pulling ${digest.slice(0, 12)}`, digest: `sha256:${digest}`, total: 1000, completed })
  return [
    { status: 'pulling manifest' },
    { status: `pulling ${digest.slice(0, 12)}`, digest: `sha256:${digest}`, total: 1000 },
    part(250),
    part(1000),
    { status: 'pulling ffffffffffff', digest: 'sha256:ffff', total: 24, completed: 24 },
    { status: 'verifying sha256 digest' },
    { status: 'writing manifest' },
    { status: 'success' },
  ]
}

export function openAiError(message: string, type: string): string {
  return JSON.stringify({ error: { message, type, param: null, code: null } })
}

function tagOf([name, { size, digest, remoteHost }]: [string, Pulled]): object {
  const cloud = remoteHost === undefined ? {} : { remote_model: name, remote_host: remoteHost }
  const details = {
    format: 'gguf',
    family: 'llama',
    families: ['llama'],
    parameter_size: '3.2B',
    quantization_level: 'Q4_K_M',
    context_length: 131072,
  }
  return { name, model: name, modified_at: '2026-08-01T00:00:00Z', size, digest, details, capabilities: ['completion'], ...cloud }
}

function runningOf([name, { size, vram, context }]: [string, { size: number; vram: number; context: number }]): object {
  const onGpu = vram === 0 ? {} : { size_vram: vram }
  return {
    name,
    model: name,
    size,
    digest: digestOf(name),
    details: {},
    expires_at: '2318-01-01T00:00:00Z',
    context_length: context,
    ...onGpu,
  }
}

function completion(model: string): string {
  return JSON.stringify({
    id: 'chatcmpl-7',
    object: 'chat.completion',
    created: 1,
    model,
    system_fingerprint: 'fp_ollama',
    choices: [{ index: 0, message: { role: 'assistant', content: 'Hello there' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 },
  })
}

function chunk(model: string, content: string, finish: string | null): string {
  const choices = [{ index: 0, delta: { role: 'assistant', content }, finish_reason: finish }]
  return `data: ${JSON.stringify({ id: 'chatcmpl-7', object: 'chat.completion.chunk', created: 1, model, system_fingerprint: 'fp_ollama', choices })}\n\n`
}

function say(response: ServerResponse, [status, body]: Answer): void {
  if (!response.destroyed) response.writeHead(status, { 'content-type': 'application/json', connection: 'close' }).end(body)
}

async function bodyOf(request: IncomingMessage): Promise<Readonly<Record<string, unknown>>> {
  let text = ''
  for await (const part of request.setEncoding('utf8') as AsyncIterable<string>) text += part
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return {}
  }
}
