import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fetchingHost } from '@plimsoll/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import type { ModelKeeper } from '@plimsoll/core/plugin'
import { createBackend } from './backend.js'
import { recorded, type RecordedServer, startRecordedServer } from './recorded-server.test.fixture.js'

/** A router that says yes at once and changes its list after a few looks, as the real one does. */
class ScriptedRouter {
  readonly posts: string[] = []
  running = 0
  fails = false
  private readonly status = new Map([
    ['model-a', 'unloaded'],
    ['model-b', 'unloaded'],
  ])
  private readonly failed = new Set<string>()
  private looks = 0
  private next: (() => void) | undefined
  private readonly server: HttpServer = createServer((request, response) => {
    let body = ''
    request.on('data', (part: Buffer) => (body += part.toString()))
    request.on('end', () => {
      const { status, text } = this.answer(request.method ?? '', request.url ?? '', body)
      response.writeHead(status, { connection: 'close' }).end(text)
    })
  })

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  close(): void {
    this.server.close()
  }

  private answer(method: string, url: string, body: string): { status: number; text: string } {
    if (method === 'POST') return this.post(url, (JSON.parse(body) as { model: string }).model)
    if (url === '/v1/models') return { status: 200, text: this.list() }
    if (url === '/metrics?model=model-a&autoload=false') {
      const text = `llamacpp:requests_processing ${this.running}\nllamacpp:requests_deferred 0\n`
      this.running = Math.max(0, this.running - 1)
      return { status: 200, text }
    }
    return { status: 404, text: '' }
  }

  private list(): string {
    this.looks += 1
    if (this.looks % 2 === 0) this.next?.()
    const data = [...this.status].map(([id, value]) => ({
      id,
      aliases: [],
      status: { value, ...(this.failed.has(id) ? { failed: true } : {}) },
    }))
    return JSON.stringify({ data })
  }

  private post(url: string, model: string): { status: number; text: string } {
    this.posts.push(`${url} ${model}`)
    const isLoad = url === '/models/load'
    if ((this.status.get(model) === 'unloaded') !== isLoad) return { status: 400, text: recorded('router-load-again').body }
    if (isLoad) this.status.set(model, 'loading')
    this.next = () => {
      this.next = undefined
      this.status.set(model, isLoad && !this.fails ? 'loaded' : 'unloaded')
      if (this.fails) this.failed.add(model)
    }
    return { status: 200, text: recorded('router-load').body }
  }
}

const signal = () => AbortSignal.timeout(10_000)
let router: ScriptedRouter | undefined
let server: RecordedServer | undefined
afterEach(async () => {
  router?.close()
  router = undefined
  await server?.close()
  server = undefined
})

const modelsOf = (url: string): ModelKeeper | undefined =>
  createBackend({ id: 'chat/a', url, models: ['model-a'], settings: {} }, fetchingHost).models

async function startRouter(): Promise<ModelKeeper> {
  router = new ScriptedRouter()
  const models = modelsOf(await router.listen())
  if (models === undefined) throw new Error('no models')
  return models
}

describe('models of a router', () => {
  it('are loaded when the list says so, not when the router says yes', async () => {
    const models = await startRouter()
    await models.load?.('model-a', signal())
    expect((await models.list?.(signal()))?.find(({ name }) => name === 'model-a')).toMatchObject({ loaded: true })
    await models.load?.('model-a', signal())
    expect(router?.posts).toEqual(['/models/load model-a'])
  })

  it('that end while they load are an error', async () => {
    const models = await startRouter()
    router!.fails = true
    await expect(models.load?.('model-a', signal())).rejects.toThrow('model-a ended while it was loading')
  })

  it('are unloaded only when nothing runs in them: the router would cut it, with an end that looks whole', async () => {
    const models = await startRouter()
    await models.load?.('model-a', signal())
    router!.running = 1
    await models.unload?.('model-a', signal())
    expect(router?.running).toBe(0)
    expect(router?.posts).toEqual(['/models/load model-a', '/models/unload model-a'])
    await models.unload?.('model-a', signal())
    expect(router?.posts).toHaveLength(2)
  })

  it('that it has not are refused with those that it has', async () => {
    const models = await startRouter()
    await expect(models.load?.('nope', signal())).rejects.toThrow('there is no model nope')
  })

  it('waiting ends when its signal says so', async () => {
    const models = await startRouter()
    await models.load?.('model-a', signal())
    router!.running = 1000
    await expect(models.unload?.('model-a', AbortSignal.timeout(50))).rejects.toThrow()
    expect(router?.posts).toEqual(['/models/load model-a'])
  })

  it('tell size and context as recorded', async () => {
    server = await startRecordedServer({ '/v1/models': 'router-models-loaded' })
    expect(await modelsOf(server.url)?.list?.(signal())).toEqual([
      { name: 'model-a', loaded: true, sizeBytes: 8_340_736, contextTokens: 1024 },
      { name: 'model-b', loaded: false },
      { name: 'model-c', loaded: false },
    ])
  })
})

describe('the model of a server with one', () => {
  it('is listed, and cannot be changed', async () => {
    server = await startRecordedServer({ '/v1/models': 'v1-models' })
    const models = modelsOf(server.url)
    expect(await models?.list?.(signal())).toEqual([{ name: 'tiny.gguf', loaded: true, sizeBytes: 8_340_736, contextTokens: 2048 }])
    await expect(models?.load?.('tiny.gguf', signal())).rejects.toThrow('has one model')
  })

  it('is listed for a launched one too', async () => {
    server = await startRecordedServer({ '/v1/models': 'v1-models' })
    const spec = { id: 'chat/a', url: server.url, models: ['m'], weights: '/m.gguf', settings: { metrics: true } }
    const { models } = createBackend(spec, fetchingHost)
    expect(models?.load).toBeUndefined()
    expect(await models?.list?.(signal())).toHaveLength(1)
  })
})
