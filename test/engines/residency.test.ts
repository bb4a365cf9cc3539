/** Pools that take turns on real engines: llama-servers that are stopped and started, and one attached Ollama that loads and unloads. */
import { spawn, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { BalancerStatus } from '@plimsoll/core'
import { afterEach, describe, expect, it } from 'vitest'
import { House, until } from '../e2e/house.js'
import { Figures } from './figures.js'
import { namedEngine } from './named-engine.js'
import { createModels, freePort, loadedModels } from './ollama-server.js'
import { makeModel } from './random-models.js'
import { askPlain } from './requests.js'

const llama = namedEngine('LB_TEST_LLAMA_SERVER')
const ollama = namedEngine('LB_TEST_OLLAMA')
const MODELS = ['alpha', 'beta'] as const
const MIN_RESIDENT_MS = 3_000

const houses: House[] = []
const servers: ChildProcess[] = []
const figures = new Figures()

afterEach(async () => {
  for (const house of houses.splice(0)) {
    await house.lb(['down', '--force'])
    await house.close()
  }
  for (const server of servers.splice(0)) {
    server.kill('SIGTERM')
    await new Promise((resolve) => server.once('close', resolve))
  }
  figures.print()
})

function topology(nodeOf: (model: string) => string): string {
  const pools = MODELS.map((model) => `  ${model}: { residency: { minResident: ${MIN_RESIDENT_MS}ms }, nodes: [${nodeOf(model)}] }\n`)
  return `version: 1\nname: shared\ngateway: { listen: 127.0.0.1:0 }\npools:\n${pools.join('')}`
}

const statusOf = async (house: House) => (await house.status()) as unknown as BalancerStatus

/** Clients of both models for a while; `look` is called between. Returns what was answered. */
async function alternate(url: string, forMs: number, look: () => Promise<void>): Promise<number> {
  const untilMs = performance.now() + forMs
  let answered = 0
  let over = false
  const client = async (model: string): Promise<void> => {
    while (performance.now() < untilMs) {
      const answer = (await askPlain(url, model, { max_tokens: 30 })) as { choices: { finish_reason: string }[] }
      expect(answer.choices[0]?.finish_reason).toMatch(/length|stop/)
      answered += 1
    }
  }
  const looking = (async () => {
    for (; !over; await new Promise((resolve) => setTimeout(resolve, 30))) await look()
  })()
  await Promise.all(MODELS.flatMap((model) => [client(model), client(model)]))
  over = true
  await looking
  return answered
}

async function takesTurns(house: House, what: string, look: () => Promise<void>): Promise<void> {
  const url = await house.up()
  const beganMs = performance.now()
  const answered = await alternate(url, 12_000, look)
  const tookMs = performance.now() - beganMs
  const { pools } = await statusOf(house)
  const wakes = pools.reduce((sum, { residency }) => sum + (residency?.wakes ?? 0), 0)
  figures.note(`${what}: two models in turns`, `${answered} answered, ${wakes} swaps in ${Math.round(tookMs)} ms`)
  expect(pools.reduce((sum, { errors }) => sum + errors, 0)).toBe(0)
  expect(wakes).toBeGreaterThan(0)
  expect(wakes).toBeLessThanOrEqual(tookMs / MIN_RESIDENT_MS + 1)
}

describe.skipIf(llama === undefined)('two real llama-servers', () => {
  it('take turns: never both at once, every request answered', async () => {
    const house = new House()
    houses.push(house)
    for (const [index, model] of MODELS.entries()) makeModel('gguf', join(house.cwd, `${model}.gguf`), { seed: index + 1 })
    const launch = (model: string) =>
      `launch: { command: [${llama}], model: ./${model}.gguf, args: { contextTokens: 4096, slots: 2, threads: 1 } }`
    house.write(
      'lb.yaml',
      topology((model) => `{ name: cpu, engine: llamacpp, ${launch(model)} }`),
    )
    await takesTurns(house, 'llama-server, stopped and started', async () => {
      const { pools } = await statusOf(house)
      expect(pools.filter(({ nodes }) => nodes.some(({ state, pid }) => pid !== null && state !== 'asleep')).length).toBeLessThan(2)
    })
  })
})

describe.skipIf(ollama === undefined)('one real Ollama, attached by two pools', () => {
  it('has one of their models in memory at a time, every request answered', async () => {
    const house = new House()
    houses.push(house)
    const files = Object.fromEntries(
      MODELS.map((model, index) => [model, makeModel('gguf', join(house.cwd, `${model}.gguf`), { seed: index + 1 })]),
    )
    const folder = join(house.folder, 'ollama-models')
    await createModels(ollama ?? '', folder, { env: house.env, models: files })
    const url = `http://127.0.0.1:${await freePort()}`
    const env = { ...house.env, OLLAMA_HOST: url.slice(7), OLLAMA_MODELS: folder, OLLAMA_NOPRUNE: '1', OLLAMA_NO_CLOUD: '1' }
    servers.push(spawn(ollama ?? '', ['serve'], { env, stdio: 'ignore' }))
    await until(
      () =>
        fetch(url).then(
          (answer) => answer.ok,
          () => false,
        ),
      30_000,
    )
    house.write(
      'lb.yaml',
      topology(() => `{ name: far, engine: ollama, attach: "${url}" }`),
    )
    let most = 0
    await takesTurns(house, 'Ollama, loaded and unloaded', async () => {
      most = Math.max(most, (await loadedModels(url)).length)
    })
    expect(most).toBe(1)
    expect((await house.lb(['unload', 'alpha', '--yes'])).code).toBe(0)
    expect((await house.lb(['unload', 'beta', '--yes'])).code).toBe(0)
    await until(async () => (await loadedModels(url)).length === 0)
  })
})
