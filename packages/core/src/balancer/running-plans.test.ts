import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../contracts/index.js'
import type { GroupPlan, PoolPlan, Topology } from '../topology/index.js'
import { plainGroup, plainPool, plainTopology } from '../topology/plain-plans.test.fixture.js'
import { RunningPlans } from './running-plans.js'

let stateDir: string
let applied: (readonly [Topology, Topology | undefined])[]
let errors: string[]
let fails: string | undefined
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'lb-plans-'))
  applied = []
  errors = []
  fails = undefined
})
afterEach(() => rmSync(stateDir, { recursive: true, force: true }))

const gpu = plainGroup({ replicas: 2, model: 'a' })
const live: GroupPlan = { ...plainGroup({ replicas: 2, model: 'b' }), name: 'gpu-r2', revision: 'r2', revisionOf: 'gpu' }
const declared = (group: GroupPlan = gpu, more: Partial<PoolPlan> = {}) =>
  plainTopology(plainPool([group], more), plainPool([gpu], { name: 'other' }))
const namesIn = (topology: Topology) => topology.pools[0]?.groups.map(({ name }) => name)

/** As a balancer begins on that disk. */
function begin(topology = declared()): RunningPlans {
  return new RunningPlans(topology, {
    stateDir,
    log: { ...silentLogger, error: (event) => void errors.push(event) },
    apply(next, before) {
      if (fails !== undefined) throw new Error(fails)
      applied.push([next, before])
      return Promise.resolve()
    },
  })
}

/** Nothing can be written any more. */
function fillDisk(): () => void {
  const inTheWay = join(stateDir, `plans.json.${process.pid}.draft`)
  mkdirSync(inTheWay)
  return () => rmSync(inTheWay, { recursive: true })
}

describe('what was changed', () => {
  it('is applied with what was applied before it, and found again by the next balancer', async () => {
    const plans = begin()
    const first = plans.topology
    await plans.change('demo', { groups: [live] })
    expect(applied).toEqual([[plans.topology, first]])
    expect([namesIn(plans.topology), namesIn(begin().topology)]).toEqual([['gpu-r2'], ['gpu-r2']])
    await plans.change('demo', undefined)
    expect([namesIn(plans.topology), namesIn(begin().topology)]).toEqual([['gpu'], ['gpu']])
    await expect(plans.change('nobody', undefined)).rejects.toMatchObject({ code: 'LB_UNKNOWN_POOL' })
  })

  it('stays where the file says something else about limits and times of the pool, or what runs already', async () => {
    const plans = begin()
    await plans.change('demo', { groups: [live] })
    plans.declare(declared(gpu, { drainMs: 5 }))
    expect([namesIn(plans.topology), plans.poolOf('demo').drainMs]).toEqual([['gpu-r2'], 5])
    plans.declare(declared(plainGroup({ replicas: 2, model: 'b' })))
    expect([namesIn(plans.topology), namesIn(begin(declared(plainGroup({ replicas: 2, model: 'b' }))).topology)]).toEqual([
      ['gpu-r2'],
      ['gpu-r2'],
    ])
    plans.declare(declared(plainGroup({ replicas: 2, model: 'x' })))
    expect(namesIn(plans.topology)).toEqual(['gpu'])
  })

  it('and was overruled by the file comes back with no earlier file, also not after a kill', async () => {
    const plans = begin()
    await plans.change('demo', { groups: [live] })
    plans.declare(declared(plainGroup({ replicas: 2, model: 'x' })))
    plans.declare(declared())
    expect([namesIn(plans.topology), namesIn(begin().topology)]).toEqual([['gpu'], ['gpu']])
  })
})

describe('a pool whose requests are parted', () => {
  const next: GroupPlan = { ...live, name: 'gpu-r3', revision: 'r3' }
  const split = { sides: [{ revision: 'r3', share: 1 }], sticky: false, watch: true }

  it('has what it had come to before: there it goes when its rollout is lost, or the file says something else', async () => {
    const plans = begin()
    await plans.change('demo', { groups: [live] })
    for (const groups of [[live, next], [next]]) await plans.change('demo', { groups, split })
    expect([plans.settledOf('demo'), begin().settledOf('demo')]).toEqual([{ groups: [live] }, { groups: [live] }])
    plans.declare(declared({ ...gpu, weight: 3 }))
    expect(plans.poolOf('demo')).toMatchObject({ groups: [{ name: 'gpu-r2', weight: 3 }] })
    expect(plans.poolOf('demo').split).toBeUndefined()
    await plans.change('demo', undefined)
    await plans.change('demo', { groups: [next], split })
    expect(plans.settledOf('demo')).toBeUndefined()
  })
})

describe('a declaration that is taken back', () => {
  it('leaves everything as it was, on the disk too', async () => {
    const plans = begin()
    await plans.change('demo', { groups: [live] })
    plans.declare(declared(plainGroup({ replicas: 2, model: 'x' })))()
    expect([namesIn(plans.topology), namesIn(begin().topology)]).toEqual([['gpu-r2'], ['gpu-r2']])
  })
})

describe('a disk that refuses', () => {
  it('refuses a change, and nothing has changed', async () => {
    const plans = begin()
    const free = fillDisk()
    await expect(plans.change('demo', { groups: [live] })).rejects.toThrow()
    expect([namesIn(plans.topology), applied]).toEqual([['gpu'], []])
    free()
    await plans.change('demo', { groups: [live] })
    expect(namesIn(begin().topology)).toEqual(['gpu-r2'])
  })

  it('refuses none that clients cannot wait for, and gets it as soon as it takes it', async () => {
    const plans = begin()
    await plans.change('demo', { groups: [live] })
    const free = fillDisk()
    await plans.change('demo', undefined, { evenUnwritten: true })
    expect([namesIn(plans.topology), applied.length, errors]).toEqual([['gpu'], 2, ['plans.not_written']])
    expect(() => plans.catchUp()).toThrow()
    free()
    expect(namesIn(begin().topology)).toEqual(['gpu-r2'])
    plans.catchUp()
    expect(namesIn(begin().topology)).toEqual(['gpu'])
  })

  it('keeps no new declaration from counting', async () => {
    const plans = begin()
    await plans.change('demo', { groups: [live] })
    fillDisk()
    plans.declare(declared(plainGroup({ replicas: 2, model: 'x' })))
    expect([namesIn(plans.topology), errors]).toEqual([['gpu'], ['plans.not_written']])
  })
})

describe('a change that cannot be applied', () => {
  it('is thrown on, and the next one is applied as if nobody knew what is', async () => {
    const plans = begin()
    fails = 'no'
    await expect(plans.change('demo', { groups: [live] })).rejects.toThrow('no')
    fails = undefined
    await plans.change('demo', undefined)
    await plans.change('demo', { groups: [live] })
    expect(applied.map(([, before]) => before === undefined)).toEqual([true, false])
  })
})

describe('a file of plans', () => {
  it.each([
    '',
    '{"v":1,"pools":{"demo":{"decl',
    '{"v":2,"pools":{}}',
    'null',
    '[]',
    '{"v":1,"pools":{"demo":{"declared":"x","made":{},"change":{"groups":[7]}}}}',
    '{"v":1,"pools":{"demo":{"declared":"x","made":{},"change":{"groups":[{"name":"a","engine":"b","weight":1}]}}}}',
    '{"v":1,"pools":{"demo":{"declared":"x","made":{},"change":{"groups":[{"name":"a","engine":"b","weight":1,"attach":{"url":"u"}}],"split":{"sides":7}}}}}',
  ])('that is torn or foreign is put aside, and pools run as declared: %s', (text) => {
    writeFileSync(join(stateDir, 'plans.json'), text)
    expect([namesIn(begin().topology), errors]).toEqual([['gpu'], ['plans.unreadable']])
    expect(readFileSync(join(stateDir, 'plans.json.unreadable'), 'utf8')).toBe(text)
    expect(existsSync(join(stateDir, 'plans.json'))).toBe(false)
  })
})
