import { readFileSync } from 'node:fs'
import { fetchingHost, recordedExchange, startRawServer, type RawServer } from '@plimsoll/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { diagnose } from './diagnose.js'
import { vllmDialect } from './dialect.js'
import { plugin } from './index.js'
import { loadingStep } from './loading-step.js'
import { attachedSpec, specOf } from './node-spec.test.fixture.js'

const fixture = (name: string) => new URL(`fixtures/${name}`, import.meta.url)
const signal = () => AbortSignal.timeout(10_000)

/** The answer of one recorded exchange; see fixtures/README.md. */
function recorded(name: string): { readonly bytes: Buffer; readonly status: number; readonly body: string } {
  const { answer } = recordedExchange(fixture(`${name}.http`))
  const body = answer.subarray(answer.indexOf('\r\n\r\n') + 4).toString('utf8')
  // Events of a stream, without the framing of chunks.
  return {
    bytes: answer,
    status: Number(answer.toString('latin1', 9, 12)),
    body: body.replaceAll(/^[0-9a-f]+\r\n|\r\n(?=[0-9a-f]+\r\n|$)/gm, ''),
  }
}

let server: RawServer
/** Path to the recorded exchange that answers it. */
let routes: Record<string, string>

beforeEach(async () => {
  routes = {
    '/health': 'health',
    '/version': 'version',
    '/v1/models': 'models',
    '/metrics': 'metrics-two-running-one-waiting',
    '/is_sleeping': 'is-sleeping',
  }
  server = await startRawServer((socket, request) =>
    socket.end(recorded(routes[request.split(' ')[1] ?? ''] ?? 'chat-unknown-model').bytes),
  )
})
afterEach(() => server.close())

describe('a real vLLM, replayed', () => {
  it('is ready, under both names that it serves', async () => {
    const { probe } = plugin.createBackend(attachedSpec(server.url), fetchingHost)
    expect(await probe(signal())).toMatchObject({ verdict: 'ready', models: ['tiny', 'small'], version: '0.32.0' })
  })

  it('is sick where the key is wrong, and where its engine is dead', async () => {
    const { probe } = plugin.createBackend(attachedSpec(server.url), fetchingHost)
    routes['/v1/models'] = 'models-no-key'
    expect(await probe(signal())).toMatchObject({ verdict: 'sick', reason: expect.stringContaining('key') as string })
    routes['/health'] = 'health-engine-dead'
    expect(await probe(signal())).toMatchObject({ verdict: 'sick' })
  })

  it('tells its load: two run, one waits', async () => {
    const backend = plugin.createBackend(specOf({}, { url: server.url, models: ['tiny'] }), fetchingHost)
    await backend.probe(signal())
    expect(await backend.load?.(signal())).toMatchObject({
      running: 2,
      waiting: 1,
      kvBlockTokens: 32,
      kvBlocks: 32_768,
      promptTokens: 408,
      cachedTokens: 224,
    })
    expect(await backend.drain?.isEmpty(signal())).toBe(false)
  })

  const dialect = vllmDialect('http://127.0.0.1:8000')

  it.each([
    ['ok', 'chat'],
    ['retry', 'chat-unknown-model'],
    ['retry', 'models-no-key'],
    ['client', 'chat-bad-json'],
    ['client', 'chat-bad-type'],
    ['client', 'chat-wrong-content-type'],
    ['client', 'chat-prompt-too-long'],
    ['client', 'chat-max-tokens-too-large'],
    ['death', 'chat-engine-dead'],
    ['death', 'chat-in-shutdown'],
  ])('means %s by %s', (meaning, name) => {
    const { status, body } = recorded(name)
    expect(dialect.classify(status, {}, body)).toBe(meaning)
  })

  it('ends whole streams with [DONE], and one of a dead engine too, after an error', () => {
    for (const name of ['chat-stream', 'chat-stream-usage', 'completions-stream'])
      expect(dialect.streamEnd(recorded(name).body)).toBe('complete')
    const { body } = recorded('chat-stream-engine-killed')
    expect(body).toMatch(/data: \[DONE\]\s*$/)
    expect(dialect.streamEnd(body.slice(-2_000))).toBe('error')
  })

  it('still calls itself healthy in its shutdown, while it answers no request any more', () => {
    expect(recorded('health-in-shutdown').status).toBe(200)
    expect(recorded('chat-in-shutdown')).toMatchObject({ status: 500, body: expect.stringContaining('after shutdown') as string })
  })

  it('answers /invocations without its key, which is why that key protects nothing', () => {
    expect(recorded('models-no-key').status).toBe(401)
    expect(recorded('invocations-no-key').status).toBe(200)
  })

  it('loads in stages that its log tells, and warns of an error that never came', () => {
    const lines = readFileSync(fixture('load-cpu.txt'), 'utf8').split('\n')
    const steps = lines.map((_, at) => loadingStep(lines.slice(0, at + 1).join('\n')))
    expect([...new Set(steps.map((step) => step?.step))]).toEqual(
      expect.arrayContaining([
        'reading the configuration',
        'starting the engine',
        'loading weights',
        'weights loaded',
        'starting to listen',
      ]),
    )
    const progress = steps.map((step) => step?.progress ?? 0)
    expect(progress).toEqual(progress.toSorted((a, b) => a - b))
    expect(diagnose(lines.join('\n'))?.message ?? '').not.toMatch(/Too many open files/)
  })
})
