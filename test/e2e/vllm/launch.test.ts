import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { House, until } from '../house.js'

const standIn = fileURLToPath(new URL('stand-in.ts', import.meta.url))

let house: House | undefined

afterEach(async () => {
  await house?.close()
  house = undefined
})

interface Options {
  readonly replicas?: number
  readonly script?: object
  readonly args?: string
  readonly more?: string
  readonly models?: string
}

/** A house with a model's folder, and vLLM's stand-in to serve it. */
function vllmHouse({ replicas = 1, script = {}, args = '{ maxModelLen: 2048 }', more = '', models = '[qwen3-4b]' }: Options): House {
  const made = new House()
  const model = join(made.cwd, 'model')
  mkdirSync(model)
  writeFileSync(join(model, 'config.json'), '{"architectures":["Qwen3MoeForCausalLM"],"num_experts":8}')
  writeFileSync(join(model, 'script.json'), JSON.stringify(script))
  made.write(
    'lb.yaml',
    `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: ${models}
    health: { interval: 200ms }
    nodes:
      - name: gpu
        engine: vllm
        launch:
          command: [${process.execPath}, ${standIn}]
          model: ${model}
          replicas: ${replicas}
          args: ${args}
          ${more}
`,
  )
  return made
}

const ask = (url: string, body: object) =>
  fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'qwen3-4b', messages: [{ role: 'user', content: 'hello' }], ...body }),
  })

const nodesOf = async () => (await house!.status()).pools[0]?.nodes ?? []

/** Engine processes of this house, as vLLM names them. */
const workers = () => house!.survivors().filter((pid) => commandLineOf(pid).includes('VLLM::EngineCore'))

function commandLineOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

describe('vLLM launched by lb', () => {
  it('loads, serves plain and streamed answers with its cache’s figures, and ends with its workers', async () => {
    house = vllmHouse({ replicas: 2, more: 'env: { STAND_IN_SIGNALS: ./signals.log }' })
    const url = await house.up([], { VLLM_PORT: '5000' })
    const pids = (await nodesOf()).map(({ pid }) => pid)
    expect((await nodesOf()).map(({ state }) => state)).toEqual(['ready', 'ready'])
    const plain = (await (await ask(url, { max_tokens: 4 })).json()) as { usage: object; choices: { message: { content: string } }[] }
    expect(plain.choices[0]?.message.content).toBe('word word word word')
    expect(plain.usage).toMatchObject({ prompt_tokens: 9, prompt_tokens_details: { cached_tokens: 8 } })
    const stream = await (await ask(url, { max_tokens: 3, stream: true })).text()
    expect(stream.match(/word/g)).toHaveLength(3)
    expect(stream).toContain('data: [DONE]')
    expect(house.logs()).not.toContain('VLLM_PORT moves')
    expect((await house.lb(['down'])).code).toBe(0)
    expect(house.survivors()).toEqual([])
    // A second one would not be heard: what is left after the first and its time is ended by force.
    const signals = readFileSync(join(house.cwd, 'signals.log'), 'utf8').trim().split('\n')
    expect(signals.toSorted()).toEqual(pids.map((pid) => `${pid ?? 0} SIGTERM`).toSorted())
  })

  it('clears the workers of a front end that was killed before it starts the next', async () => {
    house = vllmHouse({})
    await house.up()
    const [before] = await nodesOf()
    const [worker] = workers()
    expect(workers()).toHaveLength(1)
    process.kill(before?.pid ?? 0, 'SIGKILL')
    await until(async () => {
      const [node] = await nodesOf()
      return node?.state === 'ready' && node.pid !== before?.pid
    }, 20_000)
    expect(workers()).toHaveLength(1)
    expect(workers()).not.toEqual([worker])
  })

  it('shows how far it has come while it loads, and its load once it is up', async () => {
    house = vllmHouse({ script: { loadMs: 4_000 } })
    house.start(['up', '--detach'])
    const shown = async () => JSON.stringify((await nodesOf().catch(() => []))[0] ?? {})
    await until(async () => /"state":"loading","reason":"[^"]*loading weights \d+ %/.test(await shown()), 20_000)
    expect(JSON.parse(await shown())).toMatchObject({ progress: expect.any(Number) })
    await until(async () => (await shown()).includes('"kvBlocks":11782'), 20_000)
    expect(JSON.parse(await shown())).toMatchObject({
      state: 'ready',
      version: '0.21.0',
      load: { running: 0, waiting: 0, kvUsedRatio: 0.125, kvBlockTokens: 16, contextTokens: 2048, asleep: false },
    })
  })

  it('shows how evenly the experts are used, which vLLM writes to its log only', async () => {
    house = vllmHouse({ args: '{ tensorParallel: 2, expertParallel: true, eplb: { logBalancedness: true } }' })
    await house.up()
    await until(async () => JSON.stringify(await nodesOf()).includes('"expertImbalance":1.25'))
  })

  it('leaves a prompt that is too long to the client, in vLLM’s words', async () => {
    house = vllmHouse({ replicas: 2 })
    const answer = await ask(await house.up(), { max_tokens: 5000 })
    expect(answer.status).toBe(400)
    expect(answer.headers.get('x-lb-attempts')).toBe('1')
    expect(await answer.json()).toMatchObject({
      error: { param: 'input_tokens', message: expect.stringContaining('maximum context length is 2048') },
    })
  })

  it('loses no request to a vLLM that somebody ends: its empty answers move to the other', async () => {
    house = vllmHouse({ replicas: 2, args: '{ maxModelLen: 2048, shutdownTimeout: 2 }' })
    const url = await house.up()
    const victim = (await nodesOf())[0]?.pid ?? 0
    process.kill(victim, 'SIGTERM')
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => (await ask(url, { max_tokens: 4, stream: index % 2 === 0 })).text()),
    )
    for (const text of answers) {
      expect(text).toContain('word')
      expect(text).not.toContain('abort')
    }
  })

  it('hands its key over unseen: not in the plan, not on the command line', async () => {
    house = vllmHouse({ more: '\n        apiKey: { env: NODE_KEY }' })
    const env = { NODE_KEY: 'sk-unseen-by-all' }
    const { stdout, code } = await house.lb(['plan', '--json'], env)
    expect(code).toBe(0)
    expect(stdout).toContain('--served-model-name')
    expect(stdout).not.toContain('sk-unseen-by-all')
    const url = await house.up([], env)
    expect((await ask(url, { max_tokens: 1 })).status).toBe(200)
    const [node] = await nodesOf()
    expect(readFileSync(`/proc/${node?.pid ?? 0}/cmdline`, 'utf8')).not.toContain('sk-unseen-by-all')
    expect((await fetch(`${node?.url ?? ''}/v1/models`)).status).toBe(401)
  })

  it('shows all its ports in the plan', async () => {
    house = vllmHouse({ args: '{ kvEvents: true }' })
    const { stdout } = await house.lb(['plan', '--json'])
    const { nodes } = JSON.parse(stdout) as { nodes: { url: string; command: string[] }[] }
    const { url, command } = nodes[0]!
    const config = JSON.parse(command[command.indexOf('--kv-events-config') + 1]!) as { endpoint: string; replay_endpoint: string }
    const ports = [url, config.endpoint, config.replay_endpoint].map((each) => Number(new URL(each).port))
    expect(new Set(ports.filter((port) => port >= 18_400)).size).toBe(3)
  })

  it('serves adapters under names of their own', async () => {
    house = vllmHouse({ args: '{ loras: { sql: /models/sql } }', models: '[qwen3-4b, sql]' })
    const url = await house.up()
    const answer = await ask(url, { model: 'sql', max_tokens: 2 })
    expect(answer.status).toBe(200)
    await until(async () => JSON.stringify(await nodesOf()).includes('"adapters":["sql"]'))
  })

  it('refuses settings that contradict each other, by name', async () => {
    house = vllmHouse({ args: '{ eplb: { windowSize: 100 } }' })
    const { stdout, stderr, code } = await house.lb(['plan'])
    expect(code).not.toBe(0)
    expect(stdout + stderr).toContain('chat/gpu: eplb needs expertParallel')
    expect(stdout + stderr).toContain('leave eplb out')
    expect(stdout + stderr).not.toContain('the plugin')
  })
})

describe('a vLLM that fails to load', () => {
  it('says why in words that help', async () => {
    const dies = ['torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 23.68 GiB']
    house = vllmHouse({ script: { dies }, more: 'restarts: { max: 1, within: 10m }' })
    house.start(['up', '--detach'])
    // Between its attempts it is starting again, and the reason is gone for a moment.
    await until(
      async () => JSON.stringify(await nodesOf().catch(() => [])).includes('the GPU ran out of memory (2.00 GiB more were wanted)'),
      20_000,
    )
  })
})
