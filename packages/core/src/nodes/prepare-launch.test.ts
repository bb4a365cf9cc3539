import { describe, expect, it } from 'vitest'
import type { Backend, EnginePlugin, LaunchPlan, PluginHost } from '../contracts/index.js'
import { silentLogger } from '../contracts/index.js'
import type { GroupPlan, LaunchSettings } from '../topology/index.js'
import { launchGroup, topologyOf } from './fleet.test.fixture.js'
import { nodePlansOf } from './node-plan.js'
import { prepareLaunch } from './prepare-launch.js'

const dialect: Backend['dialect'] = { paths: {}, headers: {}, classify: () => 'ok', streamEnd: () => 'complete' }
const notInTests = (): never => {
  throw new Error('not in tests')
}
const host: PluginHost = { log: silentLogger, get: notInTests, send: notInTests, lines: notInTests, run: notInTests }
const ENV = { PATH: '/usr/bin:/bin', HOME: '/somewhere', MY_TOKEN: 'canary-0123456789', OPENAI_API_KEY: 'sk-canary', XDG_SESSION_ID: '7' }

interface Change {
  readonly plan?: Partial<LaunchPlan>
  readonly launch?: Partial<LaunchSettings>
  readonly group?: Partial<GroupPlan>
  readonly env?: NodeJS.ProcessEnv
  readonly models?: readonly string[]
}

async function prepared({ plan = {}, launch = {}, group = {}, env = ENV, models = ['m'] }: Change = {}) {
  const plugin: EnginePlugin = {
    apiVersion: 1,
    engine: 'script',
    settings: {},
    canLaunch: true,
    summary: 'for tests',
    createBackend: () => ({
      launchPlan: (slot) => ({ command: 'sh', args: ['--port', String(slot.port)], env: { OWN: '1' }, readyWithinMs: 1, ...plan }),
      probe: () => Promise.resolve({ verdict: 'ready' }),
      minProbeIntervalMs: 1,
      dialect,
    }),
  }
  const [node] = nodePlansOf(topologyOf([{ ...launchGroup('', launch), ...group }], { models }))
  if (node === undefined) throw new Error('no node')
  const slot = { host: '127.0.0.1', port: 18_400, replica: 0, extraPorts: [] } as const
  return prepareLaunch(node, 18_400, () => Promise.resolve(slot), { host, engines: new Map([['script', plugin]]), env })
}

const hashOf = async (change: Change = {}): Promise<string> => (await prepared(change)).hash

describe('what a launch would do', () => {
  it('gets declared variables, those of the plugin, and the documented base of the shell; nothing else', async () => {
    const { env } = await prepared({ launch: { env: { TOKEN: { env: 'MY_TOKEN' } } } })
    expect(env).toEqual({ PATH: ENV.PATH, HOME: ENV.HOME, XDG_SESSION_ID: '7', OWN: '1', TOKEN: 'canary-0123456789' })
  })

  it('never holds a key in its arguments, where every user of the machine could read it', async () => {
    const launch = { env: { TOKEN: { env: 'MY_TOKEN' } } }
    const refused = { code: 'LB_SECRET_IN_ARGS', hint: expect.stringContaining('launch.env') }
    await expect(prepared({ launch, plan: { args: ['--token=canary-0123456789'] } })).rejects.toMatchObject(refused)
    await expect(
      prepared({ group: { apiKey: { env: 'MY_TOKEN' } }, plan: { args: ['--api-key', 'canary-0123456789'] } }),
    ).rejects.toMatchObject(refused)
    await expect(prepared({ plan: { env: { KEY: 'made-up-key' }, secretEnv: ['KEY'], args: ['made-up-key'] } })).rejects.toMatchObject(
      refused,
    )
  })
})

describe('the hash of a launch', () => {
  it('is the same for the same launch, from whatever shell', async () => {
    const first = await hashOf()
    expect(first).toMatch(/^[0-9a-f]{64}$/)
    expect(await hashOf()).toBe(first)
    expect(
      await hashOf({ env: { ...ENV, XDG_SESSION_ID: '8', LANG: 'de_DE.UTF-8', OPENAI_API_KEY: 'other', PATH: '/bin:/usr/bin:/opt' } }),
    ).toBe(await hashOf({ env: { ...ENV, PATH: '/bin:/usr/bin' } }))
    // Limits may change while an engine runs.
    expect(await hashOf({ launch: { restarts: { max: 9, withinMs: 1 }, readyWithinMs: 5 } })).toBe(first)
  })

  it.each<[string, Change]>([
    ['an argument', { plan: { args: ['--port', '18400', '--more'] } }],
    ['the command', { plan: { command: 'ls' } }],
    ['a variable of the plugin', { plan: { env: { OWN: '2' } } }],
    ['a declared variable', { launch: { env: { X: '1' } } }],
    ['a GPU variable of the shell', { env: { ...ENV, CUDA_VISIBLE_DEVICES: '1' } }],
    ['where weights are kept', { env: { ...ENV, HF_HOME: '/data' } }],
    ['the weights', { launch: { model: 'org/weights' } }],
    ['the names it serves', { models: ['m', 'n'] }],
    ['the name at the node', { group: { model: 'inner' } }],
  ])('is another with %s', async (_what, change) => {
    expect(await hashOf(change)).not.toBe(await hashOf())
  })

  it('is another with another secret, which cannot be read from it', async () => {
    const launch = { env: { TOKEN: { env: 'MY_TOKEN' } } }
    const first = await hashOf({ launch })
    expect(await hashOf({ launch, env: { ...ENV, MY_TOKEN: 'canary-other-one' } })).not.toBe(first)
    expect(first).not.toContain('canary')
  })
})
