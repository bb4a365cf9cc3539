import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { bytesOf, ScriptedHub, sha256 } from '../../packages/cli/dist/hub/scripted-hub.test.fixture.js'
import { finished, House, until } from './house.js'

const weights = bytesOf('weights', 60_000)
const config = Buffer.from('{"model_type":"qwen3"}')
const gguf = bytesOf('gguf', 30_000)
const commit = 'c'.repeat(40)

let house: House
let hub: ScriptedHub

beforeEach(async () => {
  hub = await new ScriptedHub({
    'org/m': { files: { 'model.safetensors': weights, 'config.json': config } },
    'org/m-GGUF': { files: { 'm-Q4_K_M.gguf': gguf, 'm-Q8_0.gguf': bytesOf('q8', 30_000) } },
    'org/gated': { files: { 'config.json': config }, gatedFor: 'good' },
  }).listen()
  house = new House(`gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [m]
    nodes:
      - { name: gpu, engine: vllm, launch: { replicas: 2, model: org/m } }
      - { name: cpu, engine: llamacpp, launch: { model: 'hf:org/m-GGUF:Q4_K_M' } }
      - { name: else, engine: openai, attach: 'http://127.0.0.1:9' }
`)
})
afterEach(async () => {
  await house.close()
  await hub.close()
})

const env = () => ({ HF_ENDPOINT: hub.url })
const cache = () => join(house.folder, 'cache/huggingface/hub')

describe('lb models pull from a hub', () => {
  it('fetches what the topology names, each once, into the cache that engines read', async () => {
    const result = await house.lb(['models', 'pull', '--json'], env())
    expect(result.code, result.stderr).toBe(0)
    const report = JSON.parse(result.stdout) as { pulled: { contentHash: string }[] }
    expect(report).toMatchObject({
      pulled: [
        { model: 'org/m', by: 'hub', nodes: ['chat/gpu-0', 'chat/gpu-1'], commit, bytes: 60_022, fetchedBytes: 60_022 },
        { model: 'hf:org/m-GGUF:Q4_K_M', by: 'hub', nodes: ['chat/cpu'], bytes: 30_000 },
      ],
      failed: [],
      skipped: [{ node: 'chat/else', why: expect.stringMatching(/attached/) as string }],
    })
    expect(readFileSync(join(cache(), 'models--org--m/snapshots', commit, 'model.safetensors')).equals(weights)).toBe(true)
    expect(readdirSync(join(cache(), 'models--org--m-GGUF/blobs'))).toEqual([sha256(gguf)])
    const again = JSON.parse((await house.lb(['models', 'pull', '--json'], env())).stdout) as typeof report
    expect(again.pulled.map(({ contentHash }) => contentHash)).toEqual(report.pulled.map(({ contentHash }) => contentHash))
    expect(again).toMatchObject({ pulled: [{ fetchedBytes: 0 }, { fetchedBytes: 0 }] })
  })

  it('needs no topology for a model that is named, and fills a plain folder', async () => {
    const bare = new House()
    try {
      const result = await bare.lb(['models', 'pull', `org/m@${commit}`, '--to', 'here', '--include', '*.json'], env())
      expect(result.code, result.stderr).toBe(0)
      expect(result.stdout).toMatch(/✓ org\/m@c+ +22 B +content [0-9a-f]{12}/)
      expect(readdirSync(join(bare.cwd, 'here')).filter((name) => !name.startsWith('.'))).toEqual(['config.json'])
    } finally {
      await bare.close()
    }
  })

  it('keeps what came at Ctrl-C, and goes on there', async () => {
    hub.paceMs = 40
    const child = house.start(['models', 'pull', 'org/m'], env())
    const end = finished(child)
    const part = join(cache(), 'models--org--m/blobs', `${sha256(weights)}.incomplete`)
    await until(() => existsSync(part) && readFileSync(part).byteLength > 5_000, 20_000)
    child.kill('SIGINT')
    const result = await end
    expect(result.code).toBe(130)
    expect(result.stderr).toMatch(/interrupted; what was fetched is kept/)
    const kept = readFileSync(part).byteLength
    expect(kept).toBeGreaterThan(5_000)
    hub.paceMs = 0
    hub.asked.length = 0
    expect((await house.lb(['models', 'pull', 'org/m'], env())).code).toBe(0)
    expect(hub.asked.find(({ at, path }) => at === 'store' && path.includes('safetensors'))?.range).toBe(`bytes=${kept}-`)
  })

  it.each([
    [['org/gated'], {}, 'LB_MODEL_GATED'],
    [['org/none'], {}, 'LB_MODEL_NOT_FOUND'],
    [['org/m'], { HF_ENDPOINT: 'http://127.0.0.1:9' }, 'LB_NO_NETWORK'],
    [['org/m'], { HF_HUB_OFFLINE: '1' }, 'LB_OFFLINE'],
  ])('tells apart why %j with %j does not come: %s', async (args, more, code) => {
    const result = await house.lb(['models', 'pull', ...args, '--json'], { ...env(), ...more })
    expect(result.code).toBe(1)
    expect(JSON.parse(result.stdout)).toMatchObject({ error: { code, hint: expect.any(String) as string } })
  })

  it('lets the others come when one model does not', async () => {
    house.write('lb.yaml', readFileSync(join(house.cwd, 'lb.yaml'), 'utf8').replace('model: org/m }', 'model: org/gated }'))
    const result = await house.lb(['models', 'pull'], env())
    expect(result.code).toBe(1)
    expect(result.stdout).toMatch(
      /✓ hf:org\/m-GGUF:Q4_K_M.*\n.*\n! org\/gated +for chat\/gpu-0, chat\/gpu-1: org\/gated.* is gated.*\n +try: accept them at/,
    )
  })

  it('says what is known of nodes that do not run', async () => {
    const result = await house.lb(['models'])
    expect(result.code, result.stderr).toBe(0)
    expect(result.stdout).toMatch(/chat +chat\/gpu-0 +m: it does not run/)
    expect(result.stdout).toMatch(/chat +chat\/else +m: .*ECONNREFUSED/)
  })
})
