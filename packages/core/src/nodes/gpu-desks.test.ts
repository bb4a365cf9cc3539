import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { systemClock, type Clock } from '../base/index.js'
import { silentLogger } from '../contracts/index.js'
import { createGpuWatch, type GpuReading, type GpuWatch } from '../machines/gpus/gpu-watch.js'
import { GpuReservations } from '../machines/gpus/gpu-reservations.js'
import { scriptedMachine } from '../machines/gpus/scripted-machine.test.fixture.js'
import { scratchFolder } from '../machines/processes.test.fixture.js'
import type { GpuWish, HostPlan } from '../topology/index.js'
import { launchGroup, topologyOf } from './fleet.test.fixture.js'
import { GpuDesks } from './gpu-desks.js'
import type { SeatWish } from './gpu-seat.js'
import { nodePlansOf } from './node-plan.js'

const scratch = scratchFolder()
const hasty: Clock = { ...systemClock, after: (_, callback) => systemClock.after(0, callback) }
const one: GpuWish = { kind: 'counted', perReplica: 1, share: false }
const host: HostPlan = { name: 'gpu1', ssh: { host: '10.0.0.7' } }
const away = { tool: 'ssh', message: 'host gpu1 cannot be reached by ssh: refused', hint: 'try: ssh gpu1 true' }

/** A machine with one card that is away for the first `rounds` looks. */
function cardBehind(rounds: number): GpuWatch {
  const line = '0, GPU-00000000, H100, 00000000:00:00.0, 81559, 0, 81559, 0, 30, Disabled'
  const machine = scriptedMachine({ tools: {} })
  const run = async (tool: string) => ({ code: tool === 'nvidia-smi' ? 0 : 1, stdout: tool === 'nvidia-smi' ? line : '', stderr: '' })
  const watch = createGpuWatch({ ...machine, run }, hasty)
  let left = rounds
  return {
    get last() {
      return watch.last
    },
    read(maxAgeMs): Promise<GpuReading> {
      left -= 1
      return left >= 0 ? Promise.resolve({ gpus: [], problems: [away], atMs: 0, away }) : watch.read(maxAgeMs)
    },
  }
}

function desks(gpus: GpuWish, rounds: number) {
  const [group] = [launchGroup('', { gpus })]
  const plans = nodePlansOf(topologyOf([{ ...group, host }]))
  const made = new GpuDesks({
    watch: cardBehind(Infinity),
    watchOf: () => cardBehind(rounds),
    reservations: new GpuReservations({ LB_GPU_FOLDER: join(scratch(), 'gpus') }),
    clock: hasty,
    log: silentLogger,
    env: { CUDA_VISIBLE_DEVICES: '7' },
    topologyName: 'one',
    plans: () => plans,
    needOf: () => ({ mib: 999_999, why: 'files of this machine' }),
  })
  return { made, plan: plans[0] ?? expect.fail('no node') }
}

const wish = (facts: Partial<SeatWish> = {}): SeatWish => ({ mark: 'one/demo/sim/1', say: () => {}, wanted: () => true, ...facts })

describe('GPUs of other machines', () => {
  it('are given out there, whatever this machine has, may use, or knows of files', async () => {
    const { made, plan } = desks(one, 0)
    expect((await made.take(plan, wish()))?.gpus).toMatchObject([{ uuid: 'GPU-00000000' }])
    expect(made.heldBy(plan.id)).toEqual(['GPU-00000000'])
  })

  it('are waited for while their machine is away, and the node says so', async () => {
    const { made, plan } = desks(one, 2)
    const said: string[] = []
    expect((await made.take(plan, wish({ say: (what) => said.push(what) })))?.gpus).toHaveLength(1)
    expect(said).toEqual(Array(2).fill(`waiting for gpu1 to tell of its GPUs: ${away.message}`))
  })

  it('are no longer waited for when nobody wants the launch any more', async () => {
    const { made, plan } = desks(one, Infinity)
    await expect(made.take(plan, wish({ wanted: () => false }))).rejects.toMatchObject({ code: 'LB_NO_GPU', hint: away.hint })
  })

  it('are taken as the topology names them where nobody can look', async () => {
    const { made, plan } = desks({ kind: 'listed', lists: [[0]], share: false }, Infinity)
    expect(await made.take(plan, wish())).toBeUndefined()
    expect(made.heldBy(plan.id)).toBeUndefined()
  })
})
