import { readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { FakeClock, systemClock, type Clock } from '../base/index.js'
import { silentLogger, type MemoryNeed, type MemoryRoom } from '../contracts/index.js'
import { createGpuWatch } from '../machines/gpus/gpu-watch.js'
import { GpuReservations } from '../machines/gpus/gpu-reservations.js'
import { scriptedMachine } from '../machines/gpus/scripted-machine.test.fixture.js'
import { ownIdentity } from '../machines/index.js'
import { scratchFolder } from '../machines/processes.test.fixture.js'
import type { GpuWish } from '../topology/index.js'
import { launchGroup, topologyOf } from './fleet.test.fixture.js'
import { GpuDesk, type GpuDeskOptions } from './gpu-desk.js'
import type { SeatWish } from './gpu-seat.js'
import type { MemoryFits } from './memory-fits.js'
import { nodePlansOf, type NodePlan } from './node-plan.js'

const scratch = scratchFolder()
const TOTAL = 81_559
/** Waits pass at once. */
const hasty: Clock = { ...systemClock, after: (_, callback) => systemClock.after(0, callback) }
const one: GpuWish = { kind: 'counted', perReplica: 1, share: false }

/** A machine with two cards whose free memory the test sets. */
function cards() {
  const free = [TOTAL, TOTAL]
  const lines = () =>
    free.map(
      (mib, index) => `${index}, GPU-0000000${index}, H100, 00000000:0${index}:00.0, ${TOTAL}, ${TOTAL - mib}, ${mib}, 0, 30, Disabled`,
    )
  const machine = scriptedMachine({ tools: {} })
  const answering = {
    ...machine,
    run: async (tool: string) => ({
      code: tool === 'nvidia-smi' ? 0 : 1,
      stdout: tool === 'nvidia-smi' ? lines().join('\n') : '',
      stderr: '',
    }),
  }
  return { free, watch: createGpuWatch(answering, hasty) }
}

interface DeskFacts {
  readonly folder?: string
  readonly name?: string
  readonly replicas?: number
  readonly wish?: GpuWish
  readonly need?: MemoryNeed
  readonly env?: NodeJS.ProcessEnv
  readonly fitsOf?: GpuDeskOptions['fitsOf']
}

function desk({ folder = join(scratch(), 'gpus'), name = 'one', replicas = 2, wish = one, need, env = {}, fitsOf }: DeskFacts = {}) {
  const { free, watch } = cards()
  const plans = nodePlansOf(topologyOf([launchGroup('', { replicas, gpus: wish })]))
  const options = {
    watch,
    clock: hasty,
    log: silentLogger,
    env,
    topologyName: name,
    plans: () => plans,
    needOf: () => need,
    ...(fitsOf === undefined ? {} : { fitsOf }),
  }
  return { free, folder, plans, desk: new GpuDesk({ ...options, reservations: new GpuReservations({ LB_GPU_FOLDER: folder }) }) }
}

const wish = (facts: Partial<SeatWish> = {}): SeatWish => ({ mark: 'one/demo/sim/1', say: () => {}, wanted: () => true, ...facts })
const plan = (plans: readonly NodePlan[], index: number): NodePlan => plans[index] ?? expect.fail('no such node')

describe('the GPU desk', () => {
  it('seats each node where the plan of the whole topology puts it, whoever asks first', async () => {
    const { desk: here, plans } = desk()
    const [second, first] = await Promise.all([here.take(plan(plans, 1), wish()), here.take(plan(plans, 0), wish())])
    expect([first?.gpus.map((gpu) => gpu.index), second?.gpus.map((gpu) => gpu.index)]).toEqual([[0], [1]])
    expect(here.heldBy('demo/sim-0')).toEqual(['GPU-00000000'])
  })

  it('names who holds the last one; once released, it is given out again', async () => {
    const { desk: here, plans, folder } = desk()
    const other = desk({ folder, name: 'two', replicas: 1, wish: { kind: 'listed', lists: [[0]], share: false } })
    const seat = await here.take(plan(plans, 0), wish())
    await expect(other.desk.take(plan(other.plans, 0), wish())).rejects.toMatchObject({
      code: 'LB_NO_GPU',
      message: 'GPU 0 is reserved for one/demo/sim-0',
      hint: expect.stringContaining('lb gpus') as string,
    })
    seat?.release()
    expect((await other.desk.take(plan(other.plans, 0), wish()))?.gpus).toMatchObject([{ index: 0 }])
  })

  it('names the least harmful way to fit where there is too little memory, and hurts by no plugin that names nonsense', async () => {
    const asked: MemoryRoom[] = []
    const way = { change: 'launch.args: { contextTokens: 8192 }', settings: {}, count: 1, mib: 9216, why: 'instead of 32768' }
    const refusedWith = async (fits: MemoryFits, mib = 200_000) => {
      const fitsOf = (_: NodePlan, room: MemoryRoom) => (asked.push(room), fits)
      const { desk: here, plans, free } = desk({ replicas: 1, need: { mib, why: 'weights' }, fitsOf })
      free.fill(10_000)
      return here.take(plan(plans, 0), wish()).then(
        () => expect.fail('it has a seat'),
        (error: unknown) => (error as { hint?: string }).hint,
      )
    }
    expect(await refusedWith({ ways: [way, way] })).toBe(
      'launch.args: { contextTokens: 8192 } would fit (9 GiB): instead of 32768; lb plan names other ways',
    )
    expect(asked).toEqual([{ kind: 'gpus', freeMiB: [10_000, 10_000], count: 1 }])
    expect(await refusedWith({ ways: [way] })).not.toContain('lb plan')
    const stop = 'stop what holds them, or launch fewer replicas; lb gpus shows all'
    expect(await refusedWith({ ways: [way] }, 50_000)).toBe(
      `launch.args: { contextTokens: 8192 } would fit (9 GiB): instead of 32768; or ${stop}`,
    )
    expect(await refusedWith({ ways: [], problem: 'the plugin of engine `x` cannot say what would fit: no' }, 50_000)).toBe(stop)
  })

  it('waits for the earlier life of the same node, and for nodes that leave the topology', async () => {
    const { desk: here, plans } = desk({ wish: { kind: 'listed', lists: [[0], [0]], share: false } })
    const said: string[] = []
    const old = await here.take(plan(plans, 0), wish())
    const again = here.take(
      plan(plans, 0),
      wish({
        say(what) {
          said.push(what)
          old?.release()
        },
      }),
    )
    const next = await again
    expect(said).toEqual(['waiting for demo/sim-0 to end'])
    plans.shift()
    const other = await here.take(plan(plans, 0), wish({ say: (what) => (said.push(what), next?.release()) }))
    expect(said.slice(1)).toEqual(['waiting for demo/sim-0 to end'])
    expect(other?.gpus).toMatchObject([{ index: 0 }])
  })

  it('asks nothing for a node that chooses nothing, and hides all from one that wants none', async () => {
    const { desk: here } = desk()
    const [free] = nodePlansOf(topologyOf([launchGroup('')]))
    expect(await here.take(free ?? expect.fail('no node'), wish())).toBeUndefined()
    const cpu = desk({ replicas: 1, wish: { kind: 'none' } })
    expect(await cpu.desk.take(plan(cpu.plans, 0), wish())).toMatchObject({ gpus: [] })
  })

  it('chooses among those that this process may use itself', async () => {
    const { desk: here, plans } = desk({ replicas: 1, env: { CUDA_VISIBLE_DEVICES: '1' } })
    expect((await here.take(plan(plans, 0), wish()))?.gpus).toMatchObject([{ index: 1 }])
  })

  it('waits until the memory of the engine before is free again, and says so', async () => {
    const { desk: here, plans, free } = desk({ replicas: 1 })
    const said: string[] = []
    const before = await here.take(plan(plans, 0), wish({ say: (what) => said.push(what) }))
    expect(said).toEqual([])
    free[0] = 20_000
    before?.release()
    const after = here.take(
      plan(plans, 0),
      wish({
        say(what) {
          said.push(what)
          free[0] = Math.min(TOTAL, (free[0] ?? 0) + 30_000)
        },
      }),
    )
    expect((await after)?.gpus).toMatchObject([{ index: 0 }])
    expect(said).toEqual([
      'waiting for GPU memory of the engine before: GPU 0: 20 GiB of 76 GiB free',
      'waiting for GPU memory of the engine before: GPU 0: 49 GiB of 76 GiB free',
    ])
  })

  it('waits for no more than what the next engine takes', async () => {
    const { desk: here, plans, free } = desk({ replicas: 1, need: { mib: 8_000, why: 'weights' } })
    const before = await here.take(plan(plans, 0), wish())
    free[0] = 20_000
    before?.release()
    const said: string[] = []
    await here.take(plan(plans, 0), wish({ say: (what) => said.push(what) }))
    expect(said).toEqual([])
  })

  it('stops to wait when nobody wants the launch any more', async () => {
    const { desk: here, plans, free } = desk({ replicas: 1 })
    const before = await here.take(plan(plans, 0), wish())
    free[0] = 0
    before?.release()
    let wanted = true
    const seat = await here.take(plan(plans, 0), wish({ wanted: () => wanted, say: () => (wanted = false) }))
    expect(seat?.gpus).toHaveLength(1)
  })

  it('takes over the seat of an engine that outlived its balancer', async () => {
    const first = desk({ replicas: 1 })
    const seat = await first.desk.take(plan(first.plans, 0), wish({ mark: 'one/demo/sim/7' }))
    seat?.started(await ownIdentity())
    const second = desk({ folder: first.folder, replicas: 1 })
    const engine = { mark: 'one/demo/sim/7', identity: await ownIdentity(), gpus: seat?.gpus ?? [] }
    const adopted = await second.desk.adopt(plan(second.plans, 0), engine)
    expect(second.desk.heldBy('demo/sim')).toEqual(['GPU-00000000'])
    adopted?.release()
    expect(second.desk.heldBy('demo/sim')).toBeUndefined()
    expect(await new GpuReservations({ LB_GPU_FOLDER: first.folder }).living()).toEqual([])
  })

  it('reserves anew for a running engine where the folder was cleared, unless another was quicker', async () => {
    const first = desk({ replicas: 1 })
    const seat = await first.desk.take(plan(first.plans, 0), wish())
    const engine = { mark: 'one/demo/sim/7', identity: await ownIdentity(), gpus: seat?.gpus ?? [] }
    seat?.release()
    const second = desk({ folder: first.folder, replicas: 1 })
    expect(await second.desk.adopt(plan(second.plans, 0), engine)).toBeDefined()
    const [claim] = await new GpuReservations({ LB_GPU_FOLDER: first.folder }).living()
    expect(claim).toMatchObject({ key: 'GPU-00000000', engine: engine.identity })
    const third = desk({ folder: first.folder, replicas: 1 })
    expect(await third.desk.adopt(plan(third.plans, 0), { ...engine, mark: 'one/demo/sim/8' })).toBeUndefined()
  })

  it('writes its reservations anew as long as it holds some: temporary files are cleared after days', async () => {
    const folder = join(scratch(), 'gpus')
    const clock = new FakeClock()
    const { watch } = cards()
    const plans = nodePlansOf(topologyOf([launchGroup('', { gpus: one })]))
    const reservations = new GpuReservations({ LB_GPU_FOLDER: folder })
    const here = new GpuDesk({
      watch,
      clock,
      log: silentLogger,
      env: {},
      topologyName: 'one',
      plans: () => plans,
      needOf: () => undefined,
      reservations,
    })
    const seat = await here.take(plan(plans, 0), wish())
    for (const name of readdirSync(folder)) rmSync(join(folder, name))
    clock.advance(3_600_000)
    expect(await reservations.living()).toHaveLength(1)
    seat?.release()
    clock.advance(7_200_000)
    expect(readdirSync(folder)).toEqual([])
  })
})

describe('GPUs of an engine that sleeps', () => {
  const listed: GpuWish = { kind: 'listed', lists: [[0]], share: false }
  const both = (need?: MemoryNeed, gpus: GpuWish = listed) => {
    const groups = [launchGroup('', { gpus }), { ...launchGroup('', { gpus }), name: 'other' }]
    const plans = nodePlansOf(topologyOf(groups, { residency: { minResidentMs: 0, evictCost: 1, wakeWithinMs: 1 } }))
    const { free, watch } = cards()
    const awake = new Set(plans.map(({ id }) => id))
    const here = new GpuDesk({
      watch,
      clock: hasty,
      log: silentLogger,
      env: {},
      topologyName: 'one',
      plans: () => plans.filter(({ id }) => awake.has(id)),
      needOf: () => need,
      reservations: new GpuReservations({ LB_GPU_FOLDER: join(scratch(), 'gpus') }),
    })
    return { here, plans, awake, free, watch, first: plan(plans, 0), second: plan(plans, 1) }
  }

  it("are another's while it sleeps, and its own again once that one has left them and their memory is free", async () => {
    const { here, first, second, awake, free } = both()
    awake.delete(second.id)
    const seat = (await here.take(first, wish())) ?? expect.fail('no seat')
    free[0] = 2_000
    const engine = { mark: 'one/demo/sim/1', identity: await ownIdentity(), gpus: seat.gpus }
    awake.delete(first.id)
    awake.add(second.id)
    seat.release(true)
    free[0] = TOTAL - 2_000
    const other = (await here.take(second, wish({ mark: 'one/demo/other/1' }))) ?? expect.fail('no seat')
    expect([here.heldBy(first.id), here.heldBy(second.id)]).toEqual([undefined, ['GPU-00000000']])
    free[0] = 1_000
    awake.delete(second.id)
    awake.add(first.id)
    const said: string[] = []
    const say = (what: string): void => {
      said.push(what)
      if (said.length === 1) other.release(true)
      if (said.length === 3) free[0] = TOTAL - 3_000
    }
    const again = await here.retake(first, engine, wish({ say }))
    expect(said[0]).toBe('waiting for demo/other to end')
    expect(here.heldBy(first.id)).toEqual(['GPU-00000000'])
    again?.release()
    expect(here.heldBy(first.id)).toBeUndefined()
  })

  it('are not had again where somebody else took them meanwhile', async () => {
    const { here, first, second, awake } = both()
    const seat = (await here.take(first, wish())) ?? expect.fail('no seat')
    seat.release(true)
    awake.delete(first.id)
    await here.take(second, wish({ mark: 'one/demo/other/1' }))
    const engine = { mark: 'one/demo/sim/1', identity: await ownIdentity(), gpus: seat.gpus }
    expect(await here.retake(first, engine, wish())).toBeUndefined()
    expect(here.heldBy(second.id)).toEqual(['GPU-00000000'])
  })

  it('are enough for several at once only as far as their memory goes; nobody knows before they were looked at', async () => {
    const shared: GpuWish = { kind: 'counted', perReplica: 1, share: true, from: [0] }
    const small = both({ mib: 40_000, why: 'x' }, shared)
    expect(small.here.fitTogether(small.plans)).toBeUndefined()
    await small.watch.read(0)
    small.free[0] = 500
    await small.watch.read(0)
    expect(small.here.fitTogether(small.plans)).toBe(true)
    const large = both({ mib: 50_000, why: 'x' }, shared)
    await large.watch.read(0)
    expect([large.here.fitTogether(large.plans), large.here.fitTogether([large.first])]).toEqual([false, true])
    const exclusive = both({ mib: 1, why: 'x' })
    await exclusive.watch.read(0)
    expect(exclusive.here.fitTogether(exclusive.plans)).toBe(false)
  })
})
