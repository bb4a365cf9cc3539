import { describe, expect, it } from 'vitest'
import { errorsOf, resolveText } from './catalogue.test.fixture.js'
import { renderTopology } from './render-topology.js'

const withReplicas = (replicas: string, more = '') =>
  `pools: {a: {nodes: [{name: gpu, engine: sim, launch: {replicas: ${replicas}${more}}}]}}`
const whole = `{
  min: 0, max: 6, target: { queueSeconds: 0.5, ttft: 2s, tokensInFlight: 50000, kvUsed: 80% },
  upAfter: 5s, downAfter: 2m, cooldown: 30s, idle: 15m,
  schedule: [{ from: '08:00', to: '19:30', days: [mon, fri], min: 2, timeZone: Europe/Berlin }],
  triggers: [
    { name: jobs, prometheus: 'http://metrics:9090', query: 'sum(jobs)', perReplica: 10, every: 30s },
    { url: 'http://jobs/depth', path: depth.now, perReplica: 5 },
    { gpu: true, perReplica: 0.8 },
  ],
  provider: { up: [./add, --one], down: [./remove], timeout: 2m },
  }`

describe('launch.replicas that follow the load', () => {
  it('begin with the fewest and are named as the most', async () => {
    const launch = (await resolveText(withReplicas('{ min: 2, max: 4 }'))).pools[0]?.groups[0]?.launch
    expect(launch).toMatchObject({ replicas: 4, slots: [0, 1] })
    expect(launch?.scale).toEqual({
      min: 2,
      max: 4,
      target: { queueSeconds: 1 },
      upAfterMs: 20_000,
      downAfterMs: 300_000,
      cooldownMs: 10_000,
      idleMs: 600_000,
      schedule: [],
      triggers: [],
    })
  })

  it('may rest wholly, and then requests wait for as long as an engine may take to load', async () => {
    const [pool] = (await resolveText(withReplicas('{ min: 0, max: 1 }', ', readyWithin: 90s'))).pools
    expect(pool?.groups[0]?.launch?.slots).toEqual([])
    expect(pool?.wake).toEqual({ withinMs: 90_000 })
    expect((await resolveText(withReplicas('{ min: 1, max: 2 }'))).pools[0]).not.toHaveProperty('wake')
  })

  it('take all that can be said', async () => {
    const scale = (await resolveText(withReplicas(whole))).pools[0]?.groups[0]?.launch?.scale
    expect(scale).toMatchObject({
      target: { queueSeconds: 0.5, ttftP95Ms: 2_000, tokensInFlight: 50_000, kvUsed: 0.8 },
      schedule: [{ fromMinute: 480, toMinute: 1_170, days: [1, 5], min: 2, timeZone: 'Europe/Berlin' }],
      triggers: [
        { name: 'jobs', kind: 'prometheus', url: 'http://metrics:9090', query: 'sum(jobs)', perReplica: 10, everyMs: 30_000 },
        { name: 'url', kind: 'url', url: 'http://jobs/depth', path: 'depth.now', perReplica: 5, everyMs: 15_000 },
        { name: 'gpu', kind: 'gpu', perReplica: 0.8, everyMs: 15_000 },
      ],
      provider: { kind: 'command', up: ['./add', '--one'], down: ['./remove'], timeoutMs: 120_000 },
    })
  })

  it.each(['3', '{ min: 0, max: 2 }', '{ min: 1, max: 2, provider: { webhook: "http://machines/scale" } }', whole])(
    'come through lb config unchanged',
    async (replicas) => {
      const topology = await resolveText(withReplicas(replicas))
      expect((await resolveText(await renderTopology(topology))).pools).toEqual(topology.pools)
    },
  )

  it.each([
    ['many', 'a whole number from 1 to 1024, or { min: 1, max: 4 }'],
    ['0', 'replicas'],
    ['{ min: 1 }', 'max'],
    ['{ min: 3, max: 2 }', 'at least 3 and at most 2 contradict each other'],
    ['{ min: 1, max: 2, target: { ttft: fast } }', 'a duration'],
    ['{ min: 1, max: 2, target: { queueSeconds: 0 } }', 'queueSeconds'],
    ['{ min: 1, max: 2, idle: 0s }', 'idle cannot be `0s`'],
    ["{ min: 1, max: 2, schedule: [{ from: '25:00', to: '10:00', min: 1 }] }", 'a time of day'],
    ["{ min: 1, max: 2, schedule: [{ from: '08:00', to: '10:00', min: 3 }] }", 'a floor of 3 is over the most of 2'],
    ["{ min: 1, max: 2, schedule: [{ from: '08:00', to: '08:00', min: 1 }] }", 'it ends when it begins'],
    ['{ min: 1, max: 2, triggers: [{ perReplica: 1 }] }', 'one of prometheus, url and gpu; this one has none'],
    ["{ min: 1, max: 2, triggers: [{ url: 'http://a', gpu: true, perReplica: 1 }] }", 'this one has url and gpu'],
    ["{ min: 1, max: 2, triggers: [{ prometheus: 'http://a', perReplica: 1 }] }", 'is asked a `query`'],
    ["{ min: 1, max: 2, triggers: [{ url: 'file:///etc/passwd', perReplica: 1 }] }", 'a URL'],
    ["{ min: 1, max: 2, schedule: [{ from: '08:00', to: '10:00', min: 1, timeZone: Mars/Olympus }] }", 'nobody knows the time zone'],
    ["{ min: 1, max: 2, triggers: [{ url: 'http://a', perReplica: 1, every: 9999h }] }", 'cannot be asked every `9999h`'],
    ['{ min: 1, max: 2, target: { kvUsed: 0% } }', 'no number of nodes keeps their caches empty'],
    ['{ min: 1, max: 2, provider: {} }', 'nothing says how machines are brought'],
    ["{ min: 1, max: 2, provider: { up: [a], webhook: 'http://a' } }", 'by commands or by a webhook, not both'],
    ['{ min: 1, max: 3 }, gpus: [[0], [1]]', 'gpus holds 2 lists, and there are 3 replicas'],
  ])('%s is refused', async (replicas, message) => {
    const { problems } = await errorsOf(resolveText(withReplicas(replicas)))
    expect(JSON.stringify(problems)).toContain(message)
  })
})
