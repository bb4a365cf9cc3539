import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { engines, errorsOf, folder, resolveText } from './catalogue.test.fixture.js'
import { changeGroup, type GroupChange } from './change-group.js'
import { placeOf } from './problem.js'
import { TopologyErrors } from './topology-errors.js'
import type { GroupPlan } from './topology.js'

const file = `hosts: { big: { ssh: me@big } }
gateway: { zone: home }
pools:
  chat:
    models: [m, n]
    nodes:
      - name: gpu
        engine: sim
        weight: 2
        labels: { gpu: h100 }
        price: { prompt: 1, output: 2 }
        launch:
          model: org/a
          replicas: 2
          gpus: { perReplica: 1, from: [0, 1] }
          args: { profile: 8b-h100 }
          env: { A: "1", B: "with $\${X}", TOKEN: { env: T } }
          command: [wrap, "\${PORT}"]
      - { name: far, engine: sim, ssh: big, launch: { model: ./w } }
      - { name: cloud, engine: ollama, attach: http://10.0.0.7:11434, model: llama3.2, apiKey: { env: K } }
      - { name: pre, engine: sim, role: prefill, launch: {} }
      - { name: dec, engine: sim, role: decode, launch: {} }
`

const topology = await resolveText(file)
const [pool] = topology.pools
const groupOf = (name: string): GroupPlan => pool?.groups.find((each) => each.name === name) as GroupPlan
const change = (name: string, wish: GroupChange, more: Partial<GroupPlan> = {}) =>
  changeGroup({ ...groupOf(name), ...more }, wish, { topology, pool: pool!, engines })

describe('a changed node group', () => {
  it.each(['gpu', 'far', 'cloud', 'pre'])('is the very same where nothing is wished: %s', async (name) => {
    expect(await change(name, {})).toEqual(groupOf(name))
  })

  it('loads other weights, and keeps the rest, what it has beside others too', async () => {
    const launch = { ...groupOf('gpu').launch!, slots: [1] }
    const changed = await change('gpu', { model: 'org/b' }, { revision: 'r2', revisionOf: 'gpu', name: 'gpu-r2', launch })
    expect(changed).toEqual({ ...groupOf('gpu'), revision: 'r2', revisionOf: 'gpu', name: 'gpu-r2', launch: { ...launch, model: 'org/b' } })
    expect((await change('cloud', { model: 'llama4' })).model).toBe('llama4')
  })

  it('starts relative weights at the file, and over there at the host', async () => {
    expect((await change('gpu', { model: './new.gguf' })).launch?.model).toBe(`${folder}/new.gguf`)
  })

  it('takes settings by their path, and null for as if it were not there', async () => {
    const changed = await change('gpu', {
      set: {
        'launch.args.seed': 7,
        'launch.env.A': null,
        'launch.env.C': 'x',
        'launch.gpus.perReplica': 1,
        'launch.readyWithin': '5m',
        'launch.args.profile': null,
      },
    })
    expect(changed.launch).toMatchObject({
      settings: { seed: 7, profile: 'instant' },
      env: { B: 'with ${X}', C: 'x', TOKEN: { env: 'T' } },
      readyWithinMs: 300_000,
      replicas: 2,
    })
    expect(changed.launch?.env).not.toHaveProperty('A')
  })

  it('reads nothing of the environment into a wish', async () => {
    expect((await change('gpu', { set: { 'launch.env.C': '${HOME}' } })).launch?.env['C']).toBe('${HOME}')
  })

  it.each<[string, GroupChange, string]>([
    ['gpu', { set: { 'launch.args.sede': 7 } }, 'launch.args.sede engine sim: `sede` is not a key of args; seed'],
    ['gpu', { set: { 'launch.args.seed': 'x' } }, 'launch.args.seed engine sim: seed cannot be a text'],
    ['gpu', { set: { 'launch.agrs.seed': 7 } }, 'launch.agrs.seed `agrs` is nothing that a rollout changes; args'],
    ['gpu', { set: { lunch: {} } }, 'lunch `lunch` is nothing that a rollout changes; launch'],
    ['gpu', { set: { weight: 3 } }, 'weight a rollout does not change this'],
    ['gpu', { set: { 'launch.replicas': 3 } }, 'launch.replicas a rollout does not change this'],
    ['gpu', { set: { name: 'x' } }, 'name `name` is nothing that a rollout changes'],
    ['gpu', { set: { 'launch.args.__proto__.x': 1 } }, 'launch.args.__proto__.x this is no path of a setting'],
    ['gpu', { set: { 'constructor.prototype.x': 1 } }, 'constructor.prototype.x `constructor` is nothing that a rollout changes'],
    ['gpu', { set: { 'launch..x': 1 } }, 'launch..x this is no path of a setting'],
    [
      'gpu',
      { set: { 'launch.env.API_KEY': 'sk-1' } },
      'launch.env.API_KEY API_KEY looks like a secret and stands in the file; secrets never do',
    ],
    ['gpu', { set: { apiKey: 'sk-1' } }, 'apiKey apiKey is a literal secret; secrets never stand in the file'],
    ['gpu', { set: { 'launch.gpus.perReplica': 4 } }, 'launch.gpus.from 2 replicas with 4 each: 8 GPUs, and from names 2'],
    ['gpu', { model: '' }, 'launch.model model is empty'],
    ['gpu', { model: 7 as never }, 'launch.model model cannot be a number'],
    ['cloud', { set: { 'launch.args.x': 1 } }, 'launch.args.x cloud is attached: lb launches nothing there'],
  ])('refuses for %s %j', async (name, wish, said) => {
    const { problems } = await errorsOf(change(name, wish))
    expect(
      problems.map(({ keyPath, message, suggestion }) => `${keyPath} ${message}${suggestion === undefined ? '' : `; ${suggestion}`}`),
    ).toEqual([said])
    expect(placeOf(problems[0]!)).toContain(`rollout of chat/${name}: `)
  })

  it('refuses what is no node group at all, and more changes than anybody means', async () => {
    const launch = { replicas: 1 } as never
    expect((await errorsOf(change('gpu', {}, { launch }))).problems[0]?.message).toContain('this is no node group')
    const set = Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`launch.env.A${index}`, 'x']))
    expect((await errorsOf(change('gpu', { set }))).problems.map(({ message }) => message)).toEqual(['101 changes are more than 100'])
  })

  it('makes of any wish a whole group or mistakes, and nothing else', async () => {
    const step = fc.constantFrom(
      'launch',
      'args',
      'env',
      'gpus',
      'model',
      'apiKey',
      'seed',
      'from',
      '__proto__',
      'constructor',
      '0',
      '',
      'x-note',
    )
    const path = fc.array(step, { minLength: 1, maxLength: 5 }).map((steps) => steps.join('.'))
    await fc.assert(
      fc.asyncProperty(fc.dictionary(path, fc.jsonValue(), { minKeys: 1, maxKeys: 4 }), async (set) => {
        const made = await change('gpu', { set }).catch((error: unknown) => error)
        if (made instanceof TopologyErrors) expect(structuredClone(made.problems)).toEqual(made.problems)
        else expect(made).toMatchObject({ name: 'gpu', engine: 'sim', weight: 2, launch: { replicas: 2 } })
      }),
      { numRuns: 25, seed: 7 },
    )
    expect(Reflect.ownKeys(Object.prototype)).not.toContain('seed')
  }, 60_000)

  it('tells all mistakes at once', async () => {
    const { problems } = await errorsOf(change('gpu', { model: '', set: { 'launch.args.seed': -1, 'launch.readyWithin': 5 } }))
    expect(problems.map(({ keyPath }) => keyPath).sort()).toEqual(['launch.args.seed', 'launch.model', 'launch.readyWithin'])
  })
})
