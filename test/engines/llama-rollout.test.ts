/** Rollouts of real llama-servers: from one GGUF file to another under load, and back from a file that does not load. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isOver, type RolloutStatus } from '@plimsoll/core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { House, until } from '../e2e/house.js'
import { controlSocket } from '../e2e/thread-load.js'
import { ControlClient } from '../rollouts/control-client.js'
import { changedPrints, printsOf } from '../rollouts/engine-prints.js'
import { Figures, timed } from './figures.js'
import { llamaTopology, nodeRows } from './llama-nodes.js'
import { namedEngine } from './named-engine.js'
import { makeModel } from './random-models.js'
import { ask, askPlain, readStream } from './requests.js'

const command = namedEngine('LB_TEST_LLAMA_SERVER')
const TOKENS = 40
const LANES = 6

describe.skipIf(command === undefined)('two real llama-servers get another model', () => {
  let house: House
  let url: string
  let control: ControlClient
  const figures = new Figures()
  const models = new Map<string, string>()

  beforeAll(async () => {
    house = new House()
    for (const seed of [1, 2]) models.set(`tiny${seed}`, makeModel('gguf', join(house.cwd, `tiny${seed}.gguf`), { seed }))
    const torn = join(house.cwd, 'torn.gguf')
    writeFileSync(torn, 'GGUF and then nothing that any engine would load')
    models.set('torn', torn)
    house.write('lb.yaml', llamaTopology({ command: command ?? '', model: models.get('tiny1') ?? '' }))
    url = await house.up()
    control = new ControlClient(await controlSocket(house))
  })

  afterAll(async () => {
    control.close()
    await house.lb(['down', '--force'])
    expect(house.survivors()).toEqual([])
    await house.close()
    figures.print()
  })

  /** Plain requests and streams in turn, until told to stop; every one must be whole. */
  function load() {
    const failures: string[] = []
    const over = new AbortController()
    let n = 0
    const lane = async (index: number): Promise<void> => {
      for (let turn = index; !over.signal.aborted; turn += 1) {
        n += 1
        try {
          if (turn % 2 === 0) await askPlain(url, 'tiny', { max_tokens: TOKENS })
          else {
            const { text, error } = await readStream(ask(url, 'tiny', { max_tokens: TOKENS, stream: true }))
            if (error !== undefined || !/data: \[DONE\]\s*$/.test(text)) failures.push(`cut: ${String(error)} ${text.slice(-200)}`)
          }
        } catch (error) {
          failures.push(String(error))
        }
      }
    }
    const lanes = Promise.all(Array.from({ length: LANES }, (_, index) => lane(index)))
    const stop = async () => {
      over.abort()
      await lanes
      return { n, failures }
    }
    return { stop }
  }

  async function rollOut(model: string): Promise<RolloutStatus> {
    const begun = await control.post<RolloutStatus>('/v1/rollouts', {
      pool: 'real',
      model: models.get(model),
      plan: { kind: 'rolling', holdMs: 1_000, maxSurge: 0, maxUnavailable: 1 },
    })
    let latest = begun
    await until(async () => {
      latest = await control.get<RolloutStatus>('/v1/rollouts/real')
      return latest.id === begun.id && isOver(latest)
    }, 120_000)
    return latest
  }

  const modelFiles = async (): Promise<string[]> => {
    const prints = printsOf(await nodeRows(house))
    return [...prints.values()].map(({ argv }) => argv.find((word) => word.endsWith('.gguf')) ?? 'none')
  }

  it('node by node under load: no request fails, and both run the new file', async () => {
    const before = await askPlain(url, 'tiny', { max_tokens: TOKENS, temperature: 0 })
    const clients = load()
    let ended: RolloutStatus | undefined
    const tookMs = await timed(async () => {
      ended = await rollOut('tiny2')
    })
    const { n, failures } = await clients.stop()
    figures.note(
      'rolling update of two nodes from one GGUF to another',
      `${tookMs.toFixed(0)} ms  requests ${n}  failed ${failures.length}`,
    )
    expect(ended, JSON.stringify(ended)).toMatchObject({ phase: 'promoted' })
    expect(failures).toEqual([])
    expect(await modelFiles()).toEqual([models.get('tiny2'), models.get('tiny2')])
    const after = await askPlain(url, 'tiny', { max_tokens: TOKENS, temperature: 0 })
    expect(JSON.stringify(after['choices'])).not.toBe(JSON.stringify(before['choices']))
  })

  it('a file that does not load is taken back, with the engine’s own words, and no request fails', async () => {
    const before = printsOf(await nodeRows(house))
    const clients = load()
    let ended: RolloutStatus | undefined
    const tookMs = await timed(async () => {
      ended = await rollOut('torn')
    })
    const { n, failures } = await clients.stop()
    figures.note('rollback from a GGUF that does not load', `${tookMs.toFixed(0)} ms  requests ${n}  failed ${failures.length}`)
    expect(ended, JSON.stringify(ended)).toMatchObject({ phase: 'rolled-back' })
    expect(ended?.reason).toMatch(/load|end|exit/iu)
    expect(failures).toEqual([])
    await until(async () => changedPrints(before, printsOf(await nodeRows(house))).length === 0, 30_000)
    expect(await modelFiles()).toEqual([models.get('tiny2'), models.get('tiny2')])
  })
})
