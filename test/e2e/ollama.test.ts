import { readFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { startScriptedOllama, type ScriptedOllama } from '../../packages/plugin-ollama/dist/scripted-ollama.test.fixture.js'
import { finished, House, repository, until } from './house.js'
import { controlSocket, getFrom } from './thread-load.js'

const standIn = join(repository, 'test/e2e/stand-ins/ollama.ts')

let house: House
let server: ScriptedOllama | undefined
afterEach(async () => {
  await house.close()
  await server?.close()
  server = undefined
})

/** A pool of one launched stand-in; the folder of its models lies in the house. */
function launched(more: { readonly args?: string; readonly env?: string; readonly replicas?: number } = {}): House {
  house = new House()
  house.write(
    'lb.yaml',
    `gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [small]
    health: { interval: 200ms }
    nodes:
      - engine: ollama
        launch:
          replicas: ${more.replicas ?? 1}
          command: [${process.execPath}, ${standIn}]
          model: 'llama3.2'
          args: { modelsDir: ${join(house.folder, 'models')}, pull: missing${more.args ?? ''} }
          env: { LB_TEST_STAND_IN: ollama${more.env ?? ''} }
`,
  )
  return house
}

interface Answer {
  readonly status: number
  readonly text: string
}

/** With a Host of the client's own. */
function chat(url: string, body: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', host: 'lb.example.com' }
    const sent = request(`${url}/v1/chat/completions`, { method: 'POST', headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (part: string) => (text += part))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }))
    })
    sent.on('error', reject).end(JSON.stringify(body))
  })
}

const question = { model: 'small', messages: [{ role: 'user', content: 'hi' }] }
const isReady = async () => (await house.status()).pools[0]?.nodes.every((node) => node.state === 'ready') === true

describe('a launched Ollama', () => {
  it('pulls, loads, and then answers under the names of the pool, whatever Host the client sent', async () => {
    launched()
    const url = await house.up()
    await until(isReady)
    expect(await chat(url, question)).toMatchObject({ status: 200, text: expect.stringContaining('Hello there') as string })
    expect(JSON.parse(readFileSync(join(house.folder, 'models/pulled.json'), 'utf8'))).toEqual(['llama3.2:latest'])
  })

  it('shows how far a pull has come while nobody is served yet', async () => {
    launched({ env: ", LB_TEST_PULL_PACE_MS: '900'" })
    const seen = new Set<string>()
    house.start(['up', '--detach'])
    interface Shown {
      readonly pools: readonly {
        readonly nodes: readonly { readonly state: string; readonly reason: string | null; readonly progress: number | null }[]
      }[]
    }
    await until(async () => (await house.lb(['status', '--json'])).code === 0)
    const socket = await controlSocket(house)
    await until(async () => {
      const node = (await getFrom<Shown>(socket, '/v1/status')).pools[0]?.nodes[0]
      if (node?.state === 'loading') seen.add(`${node.reason ?? ''} ${node.progress ?? '-'}`)
      return node?.state === 'ready'
    }, 30_000)
    expect(
      [...seen].filter((text) => text.startsWith('pulling llama3.2')),
      [...seen].join('; '),
    ).not.toEqual([])
  })

  it.skipIf(process.platform !== 'linux')('that is killed leaves no process that holds a model', async () => {
    launched()
    await house.up()
    await until(isReady)
    const children = () => readFileSync(join(house.folder, 'models/children'), 'utf8').trim().split('\n').map(Number)
    const [orphan = 0] = children()
    const before = (await house.status()).pools[0]?.nodes[0]
    expect(house.survivors()).toContain(orphan)
    process.kill(before?.pid ?? 0, 'SIGKILL')
    await until(async () => {
      const node = (await house.status()).pools[0]?.nodes[0]
      return node?.state === 'ready' && node.pid !== before?.pid
    }, 30_000)
    expect(house.survivors()).not.toContain(orphan)
    const [, second = 0] = children()
    expect(house.survivors()).toContain(second)
  })

  it('is told in lb models with what it has, and where it runs', async () => {
    launched({ replicas: 2 })
    await house.up()
    await until(isReady)
    const result = await house.lb(['models'])
    expect(result.code, result.stderr).toBe(0)
    expect(result.stdout).toMatch(/POOL +NODE +MODEL +CONTEXT/)
    expect(result.stdout).toMatch(/chat +chat\/ollama-1 +llama3\.2:latest +8\.2k +- +yes +2 GB +6c6c616d6133/)
    const { nodes } = JSON.parse((await house.lb(['models', '--node', 'ollama-0', '--json'])).stdout) as { nodes: unknown[] }
    expect(nodes).toMatchObject([
      { node: 'chat/ollama-0', state: 'ready', error: null, models: [{ name: 'llama3.2:latest', loaded: true }] },
    ])
  })

  it('fetches another model while it runs: lb models pull goes through its own server', async () => {
    launched()
    await house.up()
    await until(isReady)
    const result = await house.lb(['models', 'pull', 'qwen3:4b', '--pool', 'chat', '--json'])
    expect(result.code, result.stderr).toBe(0)
    expect(JSON.parse(result.stdout)).toEqual({
      pulled: [
        { model: 'qwen3:4b', by: 'engine', nodes: ['chat/ollama'], contentHash: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) as string },
      ],
      failed: [],
      skipped: [],
    })
    expect((await house.lb(['models'])).stdout).toMatch(/qwen3:4b +131k at most +- +no/)
  })
})

describe('a models folder that is full or a model that is missing', () => {
  it('is told before anything starts', async () => {
    launched({ args: '' })
    house.write('lb.yaml', readFileSync(join(house.cwd, 'lb.yaml'), 'utf8').replace('pull: missing', 'pull: never'))
    await house.lb(['up', '--detach'])
    await until(async () => (await house.status()).pools[0]?.nodes[0]?.state === 'failed')
    expect((await house.lb(['status'])).stdout).toMatch(/llama3\.2 is not in .*models, and launch\.args\.pull is never/)
  })
})

describe('an attached Ollama', () => {
  async function attached(): Promise<void> {
    server = await startScriptedOllama('small:latest')
    house = new House(`gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [small]
    nodes: [{ engine: ollama, attach: '${server.url}' }]
`)
  }

  it('sees its own address as Host, and nothing that would make it load a model again', async () => {
    await attached()
    const url = await house.up()
    const body = { ...question, keep_alive: 0, options: { num_ctx: 512 } }
    expect((await chat(url, body)).status).toBe(200)
    const asked = server?.asked.find(({ path }) => path === '/v1/chat/completions')
    expect(asked?.host).toBe(new URL(server?.url ?? '').host)
    expect(server?.paths()).not.toContain('/api/generate')
  })

  it('whose stream ends without its end is told as broken, not as complete', async () => {
    await attached()
    if (server !== undefined) server.cutsStreams = true
    const url = await house.up()
    const { text } = await chat(url, { ...question, stream: true })
    expect(text).toContain('Hello')
    expect(text).toContain('LB_STREAM_CUT')
    expect(text).not.toContain('[DONE]')
  })

  it('can be asked and given models without a balancer', async () => {
    await attached()
    const listed = await house.lb(['models'])
    expect(listed.code, listed.stderr).toBe(0)
    expect(listed.stdout).toMatch(/chat +chat\/ollama +small:latest +131k at most +- +no/)
    const pulled = await house.lb(['models', 'pull', 'gemma3'])
    expect(pulled.code, pulled.stderr).toBe(0)
    expect(pulled.stdout).toMatch(/^✓ gemma3 +content 67656d6d6133 +for chat\/ollama\n$/)
    expect(pulled.stderr).toMatch(/gemma3: pulling manifest\ngemma3: 0 %.*\ngemma3: 25 % of 1 kB\ngemma3: 100 %/)
  })

  it('that cannot pull says why, with a code for scripts', async () => {
    await attached()
    if (server !== undefined)
      server.pullLines = () => [{ status: 'pulling manifest' }, { error: 'pull model manifest: file does not exist' }]
    const pulled = await house.lb(['models', 'pull', 'nope', '--json'])
    expect(pulled.code).toBe(1)
    expect(JSON.parse(pulled.stdout)).toMatchObject({
      error: { code: 'LB_PULL_FAILED', hint: expect.stringMatching(/ollama\.com/) as string },
    })
    expect((await house.lb(['models', 'pull', 'x', '--pool', 'none'])).code).toBe(2)
  })

  it('keeps what it has when a pull is interrupted', async () => {
    await attached()
    if (server !== undefined) server.afterPullLine = () => new Promise(() => undefined)
    const child = house.start(['models', 'pull', 'gemma3'])
    const end = finished(child)
    await until(() => server?.paths().includes('/api/pull') === true, 20_000)
    child.kill('SIGINT')
    expect(await end).toMatchObject({ code: 130, stderr: expect.stringMatching(/what was fetched is kept/) as string })
  })
})
