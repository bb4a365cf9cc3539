import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { engines, errorsOf, folder, resolveText, strategies } from './catalogue.test.fixture.js'
import { defineTopology } from './define-topology.js'
import { renderTopology } from './render-topology.js'
import { isResolvedTopology, parseResolvedTopology } from './resolved-topology.js'
import { resolveTopology, topologyNameOf } from './resolve-topology.js'
import { nodeIdsOf } from './topology.js'

const smallest = 'pools: { chat: { nodes: [ { engine: ollama } ] } }'

describe('the smallest file', () => {
  it('gets every default', async () => {
    const topology = await resolveText(smallest)
    expect(topology).toEqual({
      version: 1,
      name: expect.stringMatching(/^support-bot-[0-9a-f]{6}$/) as string,
      file: `${folder}/lb.yaml`,
      gateway: {
        listen: [{ kind: 'tcp', host: '127.0.0.1', port: 8484 }],
        apiKeys: [],
        open: false,
        workers: 1,
        trustedProxies: [],
        connectionsPerAddress: 1000,
        maxConnections: 20_000,
        heartbeatMs: 15_000,
        maxBodyBytes: 64 * 1024 ** 2,
        maxBodiesBytes: 512 * 1024 ** 2,
        traceShare: 0.01,
      },
      pools: [
        {
          name: 'chat',
          models: ['chat'],
          strategy: { name: 'adaptive', settings: {} },
          groups: [{ name: 'ollama', engine: 'ollama', weight: 1, attach: { url: 'http://127.0.0.1:11434' } }],
          line: { max: 1000, longestMs: 30_000 },
          retries: {
            max: 8,
            withinMs: 300_000,
            waitMs: 9000,
            loadingMs: 30_000,
            pause: { firstMs: 100, longestMs: 2000 },
            budget: { share: 0.2, floor: 50 },
          },
          continuation: 'text',
          timeouts: { connectMs: 2000, firstTokenMs: 120_000, idleMs: 60_000 },
          health: {
            intervalMs: 2000,
            fall: 3,
            rise: 2,
            timeoutMs: 2000,
            eject: { after: 5, share: 0.5, windowMs: 10_000, most: 0.5, firstMs: 1000, longestMs: 30_000, slower: 2.5 },
            hung: { afterMs: 8_000, restartAfterMs: 60_000 },
            canary: { nodes: 'launched', everyMs: 0, withinMs: 5_000 },
            slowStartMs: 30_000,
          },
          drainMs: 60_000,
        },
      ],
    })
  })

  it('is frozen to its depth and known as resolved, before and after JSON', async () => {
    const topology = await resolveText(smallest)
    expect(Object.isFrozen(topology.pools[0]?.health)).toBe(true)
    expect(isResolvedTopology(topology)).toBe(true)
    expect(parseResolvedTopology(JSON.stringify(topology))).toEqual(topology)
    expect(isResolvedTopology({ version: 1, name: 'x', pools: {} })).toBe(false)
    expect(() => parseResolvedTopology('{"version":1')).toThrow(/cannot be read/)
    expect(() => parseResolvedTopology('{"version":2}')).toThrow(/no resolved topology/)
  })
})

describe('a full file', () => {
  const text = `
x-any: { thing: true }
name: bot
gateway:
  listen: ["127.0.0.1:1", "[::1]:2", "unix:run/lb.sock", "localhost:0"]
  apiKeys: [{ env: LB_API_KEY }, { file: keys/one }]
  requestLog: { file: log/requests.ndjson, maxSize: 1.5MiB }
pools:
  x-note: kept out
  sims:
    models: [sim-8b, gpt-4o-mini]
    strategy: { name: two-choices, x-why: because }
    nodes:
      - { engine: sim, launch: { replicas: 2, args: { seed: 7, x-a: 1 }, env: { LOG: debug, HF_TOKEN: { env: HF } }, readyWithin: 90s } }
      - { engine: sim, launch: {} , weight: 0.5, x-b: 2 }
      - { name: far, engine: openai, attach: "https://API.example.com/openai/v1/", model: gpt, apiKey: { env: OPENAI_API_KEY } }
    health: { interval: 500ms }
    drain: \${DRAIN:-90s}
    retries:
      max: \${RETRIES}
      pause: { first: 250ms }
      budget: 12.5%
      hedge: { after: 2s }
`
  const resolved = () => resolveText(text, { env: { RETRIES: '3', DRAIN: '' } })

  it('is resolved to numbers, absolute paths and names', async () => {
    const topology = await resolved()
    const [pool] = topology.pools
    expect(topology.name).toBe('bot')
    expect(topology.gateway.listen).toEqual([
      { kind: 'tcp', host: '127.0.0.1', port: 1 },
      { kind: 'tcp', host: '::1', port: 2 },
      { kind: 'unix', path: `${folder}/run/lb.sock` },
      { kind: 'tcp', host: 'localhost', port: 0 },
    ])
    expect(topology.gateway.apiKeys).toEqual([{ env: 'LB_API_KEY' }, { file: `${folder}/keys/one` }])
    expect(topology.gateway.requestLog).toEqual({ file: `${folder}/log/requests.ndjson`, maxBytes: 1_572_864, keep: 3 })
    expect(topology.pools).toHaveLength(1)
    expect(pool).toMatchObject({
      drainMs: 90_000,
      retries: { max: 3, pause: { firstMs: 250, longestMs: 2000 }, budget: { share: 0.125 }, hedge: { after: { ms: 2000 }, most: 0.05 } },
      health: { intervalMs: 500, fall: 3 },
      strategy: { name: 'two-choices', settings: { by: 'tokens' } },
    })
    expect(pool?.groups[0]?.launch).toEqual({
      replicas: 2,
      settings: { profile: 'instant', seed: 7 },
      env: { LOG: 'debug', HF_TOKEN: { env: 'HF' } },
      readyWithinMs: 90_000,
      restarts: { max: 5, withinMs: 600_000 },
    })
    expect(pool?.groups[2]?.attach).toEqual({ url: 'https://api.example.com/openai/v1' })
    expect(pool?.groups.flatMap((group) => nodeIdsOf(pool, group))).toEqual(['sims/sim-0', 'sims/sim-1', 'sims/sim2', 'sims/far'])
  })

  it('resolves to itself from the text that lb config prints, whatever the environment then holds', async () => {
    const topology = await resolved()
    const printed = await renderTopology(topology)
    expect(printed).not.toMatch(/x-|\$\{/)
    expect(await resolveText(printed)).toEqual(topology)
  })
})

describe('a launch', () => {
  it('keeps the places of its command for later, and resolves to itself as printed', async () => {
    const text = `pools:
  chat:
    nodes:
      - engine: sim
        launch: { model: org/m, command: [box, "-p\${PORT}:80", "\${MODEL}", "\${WHERE}"], venv: env, ready: /health }
`
    const topology = await resolveText(text, { env: { WHERE: 'x', PORT: '9' }, cwd: '/srv' })
    expect(topology.pools[0]?.groups[0]?.launch).toMatchObject({
      model: 'org/m',
      command: ['box', '-p${PORT}:80', '${MODEL}', 'x'],
      readyPath: '/health',
    })
    expect(await resolveText(await renderTopology(topology))).toEqual(topology)
  })
})

describe('the door', () => {
  it('is resolved to numbers, origins and absolute paths, and resolves to itself as printed', async () => {
    const here = fileURLToPath(import.meta.url)
    const text = `gateway:
  workers: auto
  trustedProxies: [10.0.0.0/8, "::1", unix]
  cors: { origins: ["http://localhost:3000", "tauri://localhost"], maxAge: 1h }
  tls: { cert: ${here}, key: ${here} }
  connectionsPerAddress: 5
  maxConnections: 50
  heartbeat: 0s
${smallest}`
    const topology = await resolveText(text)
    expect(topology.gateway).toMatchObject({
      workers: 'auto',
      trustedProxies: ['10.0.0.0/8', '::1', 'unix'],
      cors: { origins: ['http://localhost:3000', 'tauri://localhost'], maxAgeMs: 3_600_000 },
      tls: { certFile: here, keyFile: here },
      connectionsPerAddress: 5,
      maxConnections: 50,
      heartbeatMs: 0,
    })
    expect(await resolveText(await renderTopology(topology))).toEqual(topology)
    const open = await resolveText(`gateway: { cors: { origins: '*' }, workers: 4 }\n${smallest}`)
    expect(open.gateway).toMatchObject({ workers: 4, cors: { origins: ['*'], maxAgeMs: 600_000 } })
    expect(await resolveText(await renderTopology(open))).toEqual(open)
  })
})

const at = (cwd: string) => resolveTopology({ pools: { a: { nodes: [{ engine: 'ollama' }] } } }, { engines, strategies, env: {}, cwd })

describe('the name', () => {
  it('differs between two folders of one name, and gives way to a declared one, which gives way to an asked one', async () => {
    const [one, two, again] = [await at('/a/My Bot!'), await at('/b/My Bot!'), await at('/a/My Bot!')]
    expect(one.name).toMatch(/^my-bot-[0-9a-f]{6}$/)
    expect(one.name).not.toBe(two.name)
    expect(again.name).toBe(one.name)
    expect((await resolveText(`name: declared\n${smallest}`)).name).toBe('declared')
    expect((await resolveText(`name: declared\n${smallest}`, { name: 'asked' })).name).toBe('asked')
  })
})

const source = (text: string) => ({ kind: 'text', file: `${folder}/lb.yaml`, shown: 'lb.yaml', format: 'yaml', text }) as const

describe('the name alone', () => {
  it('is the one that resolving gives, also from a file that does not resolve', async () => {
    for (const text of [smallest, `name: bot\n${smallest}`])
      expect(await topologyNameOf(source(text), {})).toBe((await resolveText(text)).name)
    expect(await topologyNameOf(source('name: ${N}'), { N: 'bot' })).toBe('bot')
    expect(await topologyNameOf(source('name: bot\npools: 1'))).toBe('bot')
    for (const text of ['', 'name: A/../B', 'name: ${N}', '[']) expect(await topologyNameOf(source(text), {})).toMatch(/^support-bot-/)
  })
})

describe('a topology that is not YAML', () => {
  it('has lines and columns as JSON', async () => {
    const problem = (await errorsOf(resolveText('{\n  "pools": {"a": {"nodes": [{"engin": "ollama"}]}}\n}', { format: 'json' }))).problems
    expect(problem.map(({ file, line, column, suggestion }) => ({ file, line, column, suggestion }))).toEqual([
      { file: 'lb.json', line: 2, column: 30, suggestion: 'engine' },
    ])
    const [syntax] = (await errorsOf(resolveText('{\n  "pools": 1,\n}', { format: 'json' }))).problems
    expect(syntax).toMatchObject({ line: 3, column: 1 })
    expect(
      (await resolveText('{"$schema": "x", "pools": {"a": {"nodes": [{"engine": "ollama"}]}}}', { format: 'json' })).pools,
    ).toHaveLength(1)
  })

  it('has key paths as code', async () => {
    const value = { pools: { a: { nodes: [{ engine: 'ollama' }, { engine: 'sim', launch: { replica: 2 } }] } } }
    const errors = await errorsOf(
      resolveTopology({ kind: 'code', file: '/srv/lb.config.ts', shown: 'lb.config.ts', value }, { engines, strategies, env: {} }),
    )
    expect(errors.render()).toBe(
      'lb.config.ts: pools.a.nodes[1].launch.replica  error  `replica` is not a key of launch\n      did you mean `replicas`?\n1 error; nothing was changed.',
    )
  })

  it('may come from a program, but only as plain data', async () => {
    const input = defineTopology({ pools: { a: { nodes: [{ engine: 'sim', launch: { replicas: 2 } }] } } })
    expect((await resolveTopology(input, { engines, strategies, env: {} })).file).toBeUndefined()
    const odd = { pools: { a: { nodes: [{ engine: 'sim', launch: { args: { profile: () => 'x' } } }] } } }
    const { problems } = await errorsOf(resolveTopology(odd, { engines, strategies, env: {} }))
    expect(problems.map(({ keyPath, message }) => `${keyPath}: ${message}`)).toEqual([
      'pools.a.nodes[0].launch.args.profile: the value is a function; a topology is plain data',
    ])
  })
})

describe('interpolation', () => {
  it('keeps texts as texts in quotes, numbers as numbers without, and $${ as it is', async () => {
    const env = { N: '2', NAME: 'm' }
    const topology = await resolveText(
      'pools:\n  a:\n    models: ["${N}", "x-${NAME}", "$${NAME}"]\n    nodes:\n      - engine: sim\n        launch:\n          replicas: ${N}',
      { env },
    )
    expect(topology.pools[0]?.models).toEqual(['2', 'x-m', '${NAME}'])
    expect(topology.pools[0]?.groups[0]?.launch?.replicas).toBe(2)
    expect(await resolveText(await renderTopology(topology), { env: {} })).toMatchObject({ pools: topology.pools })
  })
})

describe('a plugin', () => {
  it('that brings a broken schema is named, and one that forgot to close its schema still refuses unknown settings', async () => {
    const odd = new Map([
      ['broken', { settings: { type: 'nonsense' }, canLaunch: true }],
      ['open', { settings: { type: 'object', properties: { a: { type: 'integer' } } }, canLaunch: true }],
    ])
    const text = 'pools: {a: {nodes: [{engine: broken, launch: {}}, {engine: open, launch: {args: {b: 1, a: 1}}}]}}'
    const messages = (await errorsOf(resolveText(text, { engines: odd }))).problems.map(({ message }) => message)
    expect(messages[0]).toMatch(/^engine broken: the plugin's schema of its settings is broken/)
    expect(messages[1]).toBe('engine open: `b` is not a key of args')
  })
})
