/** What would make a model fit, through the real binary. The GPU tool is a script, and the model a header with a hole of many GiB behind it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { House, repository } from './house.js'

const GIB = 1024 ** 3
const houses: House[] = []

afterEach(async () => {
  for (const house of houses.splice(0)) {
    await house.close()
  }
})

interface Asked {
  /** Zero: as it was written. */
  readonly weightsGib: number
  /** Of each card; empty: there is no GPU. */
  readonly freeGib: readonly number[]
  /** Under `launch`. */
  readonly launch: string
}

/** A house with a llama-server that never starts, and a model of that size: 2 layers of 512 numbers for keys and values each. */
function build({ weightsGib, freeGib, launch }: Asked): House {
  const house = new House()
  houses.push(house)
  const bin = join(house.folder, 'bin')
  mkdirSync(bin)
  const model = join(house.folder, 'big.gguf')
  const shape = ['--width', '512', '--layers', '2', '--contextTokens', '1048576']
  execFileSync(process.execPath, [join(repository, 'scripts/make-random-gguf.js'), model, ...shape])
  if (weightsGib > 0) truncateSync(model, weightsGib * GIB)
  const cards = freeGib.map(
    (gib, index) =>
      `${index}, GPU-0000000${index}-aaaa, NVIDIA L4, 00000000:0${index}:00.0, 24576, ${24_576 - gib * 1024}, ${gib * 1024}, 0, 30, Disabled`,
  )
  const tool = `#!/bin/sh\ncase "$1" in --query-gpu=*) printf '%s\\n' ${cards.map((card) => `'${card}'`).join(' ')};; esac\n`
  if (cards.length > 0) writeFileSync(join(bin, 'nvidia-smi'), tool, { mode: 0o755 })
  writeFileSync(join(bin, 'llama-server'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  house.env['PATH'] = `${bin}:${process.env['PATH']}`
  house.env['LB_GPU_FOLDER'] = join(house.folder, 'gpus')
  house.write(
    'lb.yaml',
    `version: 1
name: fit
gateway: { listen: 127.0.0.1:0 }
pools:
  chat:
    models: [big]
    nodes:
      - { name: big, engine: llamacpp, launch: { model: ${model}, ${launch} } }
`,
  )
  return house
}

interface PlanDocument {
  readonly nodes: readonly {
    readonly gpus?: { readonly refusal: { message: string } | null; readonly fits?: { readonly ways: readonly Way[] } }
  }[]
  readonly tight: readonly { readonly id: string; readonly room: object; readonly fits: { readonly ways: readonly Way[] } }[]
}

interface Way {
  readonly change: string
  readonly settings: Readonly<Record<string, string | number | boolean>>
  readonly mib: number
  readonly count: number
}

const planOf = async (house: House) => JSON.parse((await house.lb(['plan', '--json'])).stdout) as PlanDocument

describe('a model that does not fit', () => {
  it('has ways named by lb plan that make it fit, and the best in the reason at lb up', async () => {
    const asked = { weightsGib: 20, freeGib: [22, 20] }
    const house = build({ ...asked, launch: 'gpus: { perReplica: 1 }, args: { contextTokens: 1048576, slots: 4 }' })
    const text = (await house.lb(['plan'])).stdout
    expect(text).toContain('would not start: no place for it: it wants a GPU with')
    expect(text).toMatch(
      / {6}launch\.gpus: \{ perReplica: 2 \} would fit \([\d.]+ GiB on each\): takes 2 GPUs instead of 1; answers stay as they are\n/,
    )
    expect(text).toMatch(/ {6}launch\.args: \{ slots: \d, contextTokens: \d+ \} would fit/)
    const { ways = [] } = (await planOf(house)).nodes[0]?.gpus?.fits ?? {}
    expect(ways.length).toBeGreaterThanOrEqual(3)
    for (const { settings } of ways.filter((way) => Object.keys(way.settings).length > 0)) {
      const args: Record<string, unknown> = { contextTokens: 1_048_576, slots: 4 }
      for (const [path, value] of Object.entries(settings)) if (path.startsWith('launch.args.')) args[path.slice(12)] = value
      const changed = build({
        ...asked,
        launch: `gpus: { perReplica: ${settings['launch.gpus.perReplica'] ?? 1} }, args: ${JSON.stringify(args)}`,
      })
      expect((await planOf(changed)).nodes[0]?.gpus, JSON.stringify(settings)).toMatchObject({ refusal: null })
    }
    const up = await house.lb(['up', '--detach'])
    expect(up.stdout + up.stderr).toContain('launch.gpus: { perReplica: 2 } would fit')
    expect((await house.status()).pools[0]?.nodes[0]?.reason).toContain('lb plan names other ways')
  })

  it('on GPUs that the topology names is told too, though it is tried', async () => {
    const house = build({ weightsGib: 10, freeGib: [12], launch: 'gpus: [[0]], args: { contextTokens: 1048576 }' })
    const [node] = (await planOf(house)).nodes
    expect(node?.gpus?.refusal).toBeNull()
    expect(node?.gpus?.fits?.ways.map((way) => Object.keys(way.settings)[0])).toContain('launch.args.contextTokens')
  })

  it('in the main memory of a machine without GPUs is told, with what would fit there', async () => {
    const house = build({ weightsGib: 4096, freeGib: [], launch: 'gpus: none' })
    const { tight } = await planOf(house)
    expect(tight).toMatchObject([{ id: 'chat/big', room: { kind: 'main', count: 1 } }])
    expect((await house.lb(['plan'])).stdout).toMatch(
      /! chat\/big is expected to need 409\d GiB \(weights 4096\.0 GiB .*\), and [\d.]+ GiB of main memory are free\n/,
    )
    expect((await planOf(build({ weightsGib: 0, freeGib: [], launch: 'gpus: none' }))).tight).toEqual([])
  })

  it('on all the GPUs that it would see, where nobody chose, is told', async () => {
    const house = build({ weightsGib: 40, freeGib: [20, 15], launch: 'args: { contextTokens: 4096 }' })
    const [big] = (await planOf(house)).tight
    expect(big?.room).toEqual({ kind: 'gpus', freeMiB: [20 * 1024, 15 * 1024], count: 2 })
    expect(big?.fits.ways.map((way) => way.change)).toContainEqual(expect.stringContaining('gpuLayers'))
    expect((await house.lb(['plan'])).stdout).toContain('and the GPUs together have 35 GiB free')
  })
})
