/** A real llama-server in router mode behind `lb`: one child process per model, loaded on demand, one at a time. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from '../e2e/house.js'
import { Figures, timed } from './figures.js'
import { nodeRows } from './llama-nodes.js'
import { namedEngine } from './named-engine.js'
import { childrenOf, isAlive } from './processes.js'
import { makeModel } from './random-models.js'
import { ask, askPlain, readStream } from './requests.js'

const command = namedEngine('LB_TEST_LLAMA_SERVER')

interface RouterModel {
  readonly id: string
  readonly status: { readonly value: string; readonly failed?: boolean }
}

describe.skipIf(command === undefined)('a real llama-server in router mode', () => {
  let house: House
  const figures = new Figures()
  let url: string
  let router: string

  beforeAll(async () => {
    house = new House()
    const models = join(house.cwd, 'models')
    mkdirSync(models)
    makeModel('gguf', join(models, 'alpha.gguf'), { seed: 1 })
    makeModel('gguf', join(models, 'beta.gguf'), { seed: 2 })
    house.write('lb.yaml', topology(command ?? '', models))
    url = await house.up()
    router = (await nodeRows(house))[0]?.url ?? ''
  })

  afterAll(async () => {
    await house.lb(['down', '--force'])
    await until(() => house.survivors().length === 0, 10_000)
    await house.close()
    figures.print()
  })

  const statuses = async () => {
    const { data } = (await (await fetch(`${router}/v1/models`)).json()) as { data: RouterModel[] }
    return Object.fromEntries(data.map((model) => [model.id, model.status.value]))
  }
  const untilReady = () => until(async () => (await nodeRows(house))[0]?.state === 'ready', 30_000)
  const answers = async (model: string, more = {}) => {
    const answer = await askPlain(url, model, { temperature: 0, ...more })
    return (answer['choices'] as { message: { content: string } }[])[0]?.message.content
  }

  it('is ready with nothing in memory, and loads a model for its first request', async () => {
    expect(await statuses()).toMatchObject({ alpha: 'unloaded', beta: 'unloaded' })
    figures.note('first answer of a model that the router has to load', `${(await timed(() => answers('alpha'))).toFixed(0)} ms`)
    expect(await statuses()).toMatchObject({ alpha: 'loaded', beta: 'unloaded' })
  })

  it('answers for each model with that model, the one taking the place of the other', async () => {
    const alpha = await answers('alpha')
    const tookMs = await timed(async () => expect(await answers('beta')).not.toBe(alpha))
    figures.note('answer that takes the place of the other model', `${tookMs.toFixed(0)} ms`)
    expect(await statuses()).toMatchObject({ alpha: 'unloaded', beta: 'loaded' })
    expect(await answers('alpha')).toBe(alpha)
  })

  it('streams through both processes, and frees the slot when the client leaves, within 1 s', async () => {
    expect((await readStream(ask(url, 'alpha', { stream: true }))).text).toMatch(/data: \[DONE\]\s*$/)
    const busy = async () => {
      const slots = (await (await fetch(`${router}/slots?model=alpha&autoload=false`)).json()) as { is_processing: boolean }[]
      return slots.filter((slot) => slot.is_processing).length
    }
    for (const [kind, stream] of [
      ['plain', false],
      ['streamed', true],
    ] as const) {
      const tookMs: number[] = []
      for (let round = 0; round < 10; round += 1) {
        const asked = ask(url, 'alpha', { stream, max_tokens: 15_000 })
        await until(async () => (await busy()) === 1, 5_000)
        asked.controller.abort()
        tookMs.push(await timed(() => until(async () => (await busy()) === 0, 5_000)))
      }
      expect(figures.times(`client of a ${kind} answer leaves a router, until its slot is free`, tookMs)).toBeLessThan(1_000)
    }
  })

  it('loads a model anew whose process died', async () => {
    await answers('alpha')
    const child = childrenOf((await nodeRows(house))[0]?.pid)[0]
    expect(child).toBeGreaterThan(0)
    process.kill(child ?? 0, 'SIGKILL')
    await until(async () => (await statuses())['alpha'] === 'unloaded', 5_000)
    expect(await answers('alpha')).toMatch(/^[a-z., ]+$/)
    await untilReady()
    expect((await nodeRows(house))[0]?.restarts).toBe(0)
  })

  it('leaves no child behind when the router is killed: its node reaps them and comes back', async () => {
    await answers('beta')
    const [before] = await nodeRows(house)
    const orphans = childrenOf((await nodeRows(house))[0]?.pid)
    expect(orphans.length).toBeGreaterThan(0)
    process.kill(before?.pid ?? 0, 'SIGKILL')
    const tookMs = await timed(() => until(() => orphans.every((pid) => !isAlive(pid)), 10_000))
    figures.note('kill -9 of a router, until its orphans are gone', `${tookMs.toFixed(0)} ms`)
    expect(tookMs).toBeLessThan(5_000)
    await untilReady()
    router = (await nodeRows(house))[0]?.url ?? ''
    expect(await answers('beta')).toMatch(/^[a-z., ]+$/)
  })
})

function topology(command: string, models: string): string {
  return `version: 1
gateway: { listen: 127.0.0.1:0 }
pools:
  real:
    models: [alpha, beta]
    nodes:
      - name: router
        engine: llamacpp
        launch:
          command: [${command}]
          args: { contextTokens: 32768, slots: 2, threads: 1, router: { modelsDir: ${models}, maxModels: 1 } }
`
}
