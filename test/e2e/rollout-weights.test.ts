/** Weights of a rollout: fetched before anything is drained, held to what they were, and said so when they have moved. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bytesOf, ScriptedHub } from '../../packages/cli/dist/hub/scripted-hub.test.fixture.js'
import { startScriptedOllama } from '../../packages/plugin-ollama/dist/scripted-ollama.test.fixture.js'
import { House, isLong } from './house.js'

const standIn = fileURLToPath(new URL('vllm/stand-in.ts', import.meta.url))
const config = Buffer.from('{"architectures":["Qwen3ForCausalLM"]}')
const commit = 'c'.repeat(40)

/** One pool of one node group, whose judge wants little. */
const chatOf = (rollout: string, node: string): string => `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [m]
    health: { interval: 100ms }
    rollout: { ${rollout}, hold: 1s, judge: { minSamples: 3, ttft: x50, tpot: x50, repeated: 100% } }
    nodes: [${node}]
`

let house: House
let hub: ScriptedHub
let model: string

beforeEach(async () => {
  hub = await new ScriptedHub({ 'org/next': { files: { 'config.json': config, 'model.safetensors': bytesOf('next', 60_000) } } }).listen()
  house = new House()
  model = join(house.cwd, 'model')
  mkdirSync(model)
  writeFileSync(join(model, 'config.json'), config)
  writeFileSync(join(model, 'model.safetensors'), 'the first weights')
  const launch = `command: [${process.execPath}, ${standIn}], model: ./model, args: { maxModelLen: 2048 }, env: { HF_ENDPOINT: '${hub.url}' }`
  house.write('lb.yaml', chatOf('kind: rolling', `{ name: gpu, engine: vllm, launch: { ${launch} } }`))
})
afterEach(async () => {
  await house.close()
  await hub.close()
})

interface Rollout {
  readonly phase: string
  readonly reason: string | null
  readonly from: { readonly revision: string }
  readonly to: { readonly revision: string; readonly model: string }
  readonly events: readonly { readonly message: string }[]
}
interface History {
  readonly revisions: readonly { revision: string; hash: string; content: string | null; isRunning: boolean; outcome: string | null }[]
}

/** Asks as long as `work` takes; resolves with what failed. */
async function under<Value>(url: string, work: Promise<Value>): Promise<{ readonly value: Value; readonly failed: readonly string[] }> {
  const failed: string[] = []
  const over = new AbortController()
  const body = JSON.stringify({ model: 'm', max_tokens: 3, messages: [{ role: 'user', content: 'hello' }] })
  const ask = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
      const text = await answer.text()
      if (answer.status !== 200) failed.push(`${answer.status} ${text.slice(0, 200)}`)
      await pause(20)
    }
  }
  const asking = Promise.all(Array.from({ length: 4 }, ask))
  const value = await work.finally(() => over.abort())
  await asking
  return { value, failed }
}

async function rolled(args: readonly string[], code: number): Promise<Rollout> {
  const result = await house.lb(['rollout', 'start', 'chat', ...args, '--wait', '--json'])
  expect(result.code, result.stderr + result.stdout).toBe(code)
  return JSON.parse(result.stdout) as Rollout
}

const history = async () => JSON.parse((await house.lb(['rollout', 'history', 'chat', '--json'])).stdout) as History
/** What each engine was started with: its command line and its environment, without the port and the mark of its node. */
async function launches(): Promise<readonly { readonly command: string; readonly env: readonly string[] }[]> {
  const { pools } = await house.status()
  return (pools[0]?.nodes ?? []).map(({ pid }) => {
    const words = (name: string): string[] => readFileSync(`/proc/${pid ?? 0}/${name}`, 'utf8').split('\0')
    const command = words('cmdline')
      .join(' ')
      .replace(/--port \d+/, '--port PORT')
    return {
      command,
      env: words('environ')
        .filter((each) => !each.startsWith('LB_NODE='))
        .sort(),
    }
  })
}

describe('weights of a rollout', () => {
  it('come from the hub before a node goes, are named by their commit, and the way back is the first revision', async () => {
    const url = await house.up()
    const first = await launches()
    const { value, failed } = await under(url, rolled(['--model', 'org/next'], 0))
    expect(failed).toEqual([])
    expect(value).toMatchObject({ phase: 'promoted', from: { revision: 'r1' }, to: { revision: 'r2', model: 'org/next' } })
    expect(existsSync(join(house.folder, 'cache/huggingface/hub/models--org--next/snapshots', commit, 'model.safetensors'))).toBe(true)
    expect(await launches()).toMatchObject([{ command: expect.stringContaining('serve org/next --host') as string }])
    const back = await under(url, rolled(['--revision', 'r1'], 0))
    expect(back.failed).toEqual([])
    expect(back.value).toMatchObject({ phase: 'promoted', from: { revision: 'r2' }, to: { revision: 'r1' } })
    expect(await launches()).toEqual(first)
    expect(first).toMatchObject([{ command: expect.stringContaining(`serve ${model} --host`) as string }])
    const { revisions } = await history()
    expect(revisions).toMatchObject([
      { revision: 'r2', content: `commit:${commit}`, isRunning: false },
      { revision: 'r1', content: expect.stringMatching(/^sample:/) as string, isRunning: true },
    ])
  }, 120_000)

  it('that nobody has stop the rollout before anything is changed', async () => {
    const url = await house.up()
    const pids = (await house.status()).pools[0]?.nodes.map(({ pid }) => pid)
    const { value, failed } = await under(url, rolled(['--model', 'org/nowhere'], 3))
    expect(failed).toEqual([])
    expect(value.reason).toContain('the hub knows no org/nowhere')
    expect((await house.status()).pools[0]?.nodes.map(({ pid }) => pid)).toEqual(pids)
  }, 120_000)

  it.runIf(isLong)(
    'that were written over are not called the old revision',
    async () => {
      const url = await house.up()
      await under(url, rolled(['--set', 'launch.args.maxModelLen=4096'], 0))
      writeFileSync(join(model, 'model.safetensors'), 'other weights')
      const refused = await house.lb(['rollout', 'start', 'chat', '--revision', 'r1', '--json'])
      expect(refused.code).not.toBe(0)
      expect(JSON.parse(refused.stdout === '' ? refused.stderr : refused.stdout)).toMatchObject({ error: { code: 'LB_MODEL_MOVED' } })
      const { revisions } = await history()
      expect(revisions.map(({ revision }) => revision)).toEqual(['r2', 'r1'])
    },
    120_000,
  )

  it.runIf(isLong)(
    'keep their history over a restart of lb',
    async () => {
      const url = await house.up()
      await under(url, rolled(['--set', 'launch.args.maxModelLen=4096'], 0))
      const before = await history()
      await house.lb(['down'])
      await house.up()
      expect((await history()).revisions.map(({ revision, hash, content }) => [revision, hash, content])).toEqual(
        before.revisions.map(({ revision, hash, content }) => [revision, hash, content]),
      )
    },
    120_000,
  )

  it.runIf(isLong)(
    'that went live and are written into the file are taken over as they run, also where lb was killed',
    async () => {
      const url = await house.up()
      await under(url, rolled(['--set', 'launch.args.maxModelLen=4096'], 0))
      const pids = async () => (await house.status()).pools[0]?.nodes.map(({ id, pid }) => `${id} ${pid}`)
      const before = await pids()
      const file = readFileSync(join(house.cwd, 'lb.yaml'), 'utf8')
      house.write('lb.yaml', file.replace('maxModelLen: 2048', 'maxModelLen: 4096').replace('interval: 100ms', 'interval: 150ms'))
      const { pid } = await house.status()
      const keeper = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
      for (const each of [keeper, pid]) process.kill(each, 'SIGKILL')
      await house.up()
      await expect.poll(pids, { timeout: 20_000 }).toEqual(before)
      expect(before).toMatchObject([expect.stringMatching(/^chat\/gpu-r2 \d+$/)])
    },
    120_000,
  )
})

describe('an Ollama that is attached', () => {
  it('rolls by model: pulled, loaded, switched to, and the old one leaves its memory when it was judged', async () => {
    const ollama = await startScriptedOllama('llama3.2:latest')
    try {
      house.write('lb.yaml', chatOf('steps: [50%, 100%]', `{ name: desk, engine: ollama, attach: '${ollama.url}', model: llama3.2 }`))
      const url = await house.up()
      const { value, failed } = await under(url, rolled(['--model', 'qwen3:4b'], 0))
      expect(failed).toEqual([])
      expect(value).toMatchObject({ phase: 'promoted', to: { revision: 'r2', model: 'qwen3:4b' } })
      expect(ollama.paths().filter((path) => path === '/api/pull')).toHaveLength(1)
      expect([...ollama.loaded.keys()]).toEqual(['qwen3:4b'])
      const asked = ollama.asked.filter(({ path }) => path === '/v1/chat/completions').map(({ body }) => body['model'])
      expect(new Set(asked)).toEqual(new Set(['llama3.2', 'qwen3:4b']))
      const { revisions } = await history()
      expect(revisions.map(({ content }) => content)).toEqual([expect.stringMatching(/^sha256:/), expect.stringMatching(/^sha256:/)])
      const back = await under(url, rolled(['--revision', 'r1'], 0))
      expect(back).toMatchObject({ failed: [], value: { phase: 'promoted', to: { revision: 'r1', model: 'llama3.2' } } })
      expect([...ollama.loaded.keys()]).toEqual(['llama3.2:latest'])
    } finally {
      await ollama.close()
    }
  }, 120_000)
})
