/** Virtual time through the real binary: workloads, files and logs of users, and what is wrong with them. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { House, until } from './house.js'

const TOPOLOGY = `version: 1
name: replayed
gateway: { listen: 127.0.0.1:0, requestLog: ./requests.log }
pools:
  demo:
    models: [sim-8b]
    strategy: round-robin
    nodes:
      - name: sim
        engine: sim
        launch: { replicas: 2, args: { profile: instant } }
`

interface Simulated {
  readonly fleet: string
  readonly results: readonly {
    readonly strategy: string
    readonly label: string
    readonly rate: number
    readonly requests: number
    readonly nodes: number
    readonly cut: number
    readonly perNode: readonly { readonly requests: number }[]
    readonly ttftMs: Readonly<Record<'p50' | 'p90' | 'p99', number>>
    readonly tpotMs: Readonly<Record<'p50' | 'p90' | 'p99', number>>
    readonly e2eMs: Readonly<Record<'mean' | 'p50' | 'p90' | 'p99', number>>
    readonly cachedTokenShare: number
  }[]
}

const house = new House(TOPOLOGY)
afterAll(async () => {
  await house.close()
})

const json = async (...args: string[]): Promise<Simulated> => {
  const { code, stdout, stderr } = await house.lb([...args, '--json'])
  if (code !== 0) throw new Error(`lb ${args.join(' ')} ended with ${code}: ${stderr}`)
  return JSON.parse(stdout) as Simulated
}

describe('lb simulate', () => {
  const short = ['simulate', '--trace', 'agent', '--requests', '900', '--strategy', 'round-robin,lmetric']

  it('compares strategies at several rates, in the documented shape, the same twice', async () => {
    const first = await json(...short, '--rate', '0.5,1')
    expect(first.results.map(({ strategy, rate }) => [strategy, rate])).toEqual([
      ['round-robin', 0.5],
      ['lmetric', 0.5],
      ['round-robin', 1],
      ['lmetric', 1],
    ])
    for (const { requests, ttftMs, tpotMs, e2eMs, cachedTokenShare } of first.results) {
      expect(requests).toBeGreaterThan(300)
      expect([ttftMs.p50 > 0, ttftMs.p90 >= ttftMs.p50, ttftMs.p99 >= ttftMs.p90]).toEqual([true, true, true])
      expect([tpotMs.p50 > 0, e2eMs.mean > ttftMs.p50, e2eMs.p99 >= e2eMs.p90]).toEqual([true, true, true])
      expect(cachedTokenShare).toBeGreaterThan(0.2)
    }
    expect((first.results[1]?.cachedTokenShare ?? 0) - (first.results[0]?.cachedTokenShare ?? 1)).toBeGreaterThan(0.1)
    expect(await json(...short, '--rate', '0.5,1')).toEqual(first)
    expect(await json(...short, '--rate', '0.5,1', '--seed', '2')).not.toEqual(first)
  })

  it('prints a table, and writes one page that needs nothing else', async () => {
    const { code, stdout, stderr } = await house.lb([...short, '--html', 'page.html'])
    expect([code, stderr]).toEqual([0, `The plots are in ${join(house.cwd, 'page.html')}.\n`])
    expect(stdout).toMatch(/^STRATEGY +TTFT p50 +p90 +p99 +TPOT p50 +E2E mean +p99 +CACHED +BEST IN$/m)
    expect(stdout).toMatch(/^lmetric .*mean E2E$/m)
    const page = readFileSync(join(house.cwd, 'page.html'), 'utf8')
    expect(page).toContain('<svg')
    expect(page).not.toMatch(/<script|https?:/)
  })

  it('takes nodes and strategy of a topology, faults, and a workload that nobody knows', async () => {
    const own = await json('simulate', '--trace', 'tenant', '--requests', '300', '--topology', 'lb.yaml', '--strategy', 'lmetric')
    expect(own.fleet).toBe('2 nodes instant')
    expect(own.results.map(({ strategy }) => strategy)).toEqual(['round-robin', 'lmetric'])
    const crashed = await json('simulate', '--blind', '7', '--requests', '900', '--strategy', 'lmetric', '--fault', 'crash@2s:n1')
    expect(crashed.results[0]?.cut).toBeGreaterThan(0)
  })

  it('reads a trace of the user and names the place of a mistake in it', async () => {
    const rows = Array.from({ length: 200 }, (_, at) => `${at * 100},${500 + at},20,0`)
    house.write('good.csv', ['timestamp_ms,input_tokens,output_tokens,note', ...rows].join('\n'))
    const { results } = await json('simulate', '--trace', 'good.csv', '--nodes', '2', '--profile', '8b-a100', '--strategy', 'least-tokens')
    expect(results[0]).toMatchObject({ rate: 1, nodes: 2 })
    house.write('bad.csv', 'timestamp_ms,input_tokens,output_tokens\n0,10,5\n1,ten,5\n')
    const bad = await house.lb(['simulate', '--trace', 'bad.csv'])
    expect(bad.code).toBe(2)
    expect(bad.stderr).toContain('bad.csv:3:3: input_tokens is "ten"')
  })

  it('lets strategies of plugins take part, and forgives a broken one that nobody asked for', async () => {
    const folder = join(house.folder, 'lb-plugin-places')
    const create = 'create: ({ settings }) => ({ pick: (facts, candidates) => Math.min(settings.place ?? 0, candidates.length - 1) })'
    const schema = `{ type: 'object', properties: { place: { type: 'integer', minimum: 0, maximum: 9, default: 0 } } }`
    const strategies = { place: './place.mjs', broken: './broken.mjs' }
    mkdirSync(folder)
    writeFileSync(
      join(folder, 'package.json'),
      JSON.stringify({ name: 'lb-plugin-places', version: '1.0.0', type: 'module', plimsoll: { apiVersion: 1, strategies } }),
    )
    writeFileSync(
      join(folder, 'place.mjs'),
      `export const strategy = { name: 'place', summary: 'One place.', settings: ${schema}, ${create} }`,
    )
    writeFileSync(
      join(folder, 'broken.mjs'),
      `export const strategy = { name: 'broken', summary: 'None.', settings: {}, create: () => ({}) }`,
    )
    expect(await house.lb(['plugins', 'link', folder])).toMatchObject({ code: 0 })
    writeFileSync(join(folder, 'broken.mjs'), `throw new Error('not built')`)
    const args = ['simulate', '--trace', 'tenant', '--requests', '300', '--nodes', '3', '--strategy']
    const { results } = await json(...args, 'place:place=1,least-tokens')
    const counts = results.map(({ perNode }) => perNode.map(({ requests }) => requests > 0))
    expect(counts).toEqual([
      [false, true, false],
      [true, true, true],
    ])
    expect((await house.lb([...args, 'broken'])).stderr).toContain('not built')
    expect((await house.lb([...args, 'place:place=11'])).stderr).toContain('place is 11; it is at most 9')
    await house.lb(['plugins', 'uninstall', 'lb-plugin-places'])
  })

  it.each([
    [['simulate'], 'no workload is named'],
    [['simulate', '--trace', 'nope'], 'no workload, and there is no such file'],
    [['simulate', '--trace', 'agent', '--strategy', 'nope'], 'there is no strategy nope'],
    [['simulate', '--trace', 'agent', '--rate', '0'], '--rate 0'],
    [['simulate', '--trace', 'agent', '--nodes', '0'], '--nodes 0'],
    [['simulate', '--trace', 'agent', '--slowness', '0'], '--slowness 0'],
    [['simulate', '--trace', 'agent', '--fault', 'burn@1s:n0'], '--fault burn@1s:n0'],
    [['replay', 'nope.log'], 'ENOENT'],
    [['replay', 'lb.yaml'], 'no request log'],
    [['tune', '--trace', 'agent', '--rate', '1..2'], 'tuned at one rate'],
  ])('%j is refused as wrong input', async (args, message) => {
    const { code, stdout, stderr } = await house.lb(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr).toContain('try:')
  })
})

describe('lb replay', () => {
  it('takes the log that a balancer wrote, follows its conversations, and says what would have changed', async () => {
    const gateway = await house.up()
    const ask = async (messages: object[]): Promise<string> => {
      const answer = await fetch(`${gateway}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'sim-8b', messages, max_tokens: 40 }),
      })
      const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] }
      return choices[0]?.message.content ?? ''
    }
    await Promise.all(
      Array.from({ length: 5 }, async (_, person) => {
        const messages: { role: string; content: string }[] = [
          { role: 'system', content: `You help person ${person}. ${'Be brief. '.repeat(80)}` },
        ]
        for (let turn = 0; turn < 4; turn++) {
          messages.push({ role: 'user', content: `Question ${turn} of ${person}: ${'why '.repeat(60)}` })
          messages.push({ role: 'assistant', content: await ask(messages) })
        }
      }),
    )
    await house.lb(['down'])
    const log = join(house.cwd, 'requests.log')
    await until(() => existsSync(log) && readFileSync(log, 'utf8').trim().split('\n').length === 20)
    const { code, stdout, stderr } = await house.lb([
      'replay',
      'requests.log',
      '--topology',
      'lb.yaml',
      '--strategy',
      'lmetric',
      '--nodes',
      '1,2',
      '--html',
      'replay.html',
    ])
    expect(code).toBe(0)
    const page = readFileSync(join(house.cwd, 'replay.html'), 'utf8')
    expect(page).toContain('<h1>requests.log: what would have changed</h1>')
    expect(page).toContain('what ran: round-robin on 2 nodes<br>measured then: ')
    expect([page.includes('<h2>1 node</h2>'), page.includes('<h2>2 nodes</h2>')]).toEqual([true, true])
    const lost = await house.lb(['replay', 'requests.log', '--html', 'requests.log'])
    expect([lost.code, lost.stderr.includes('is the file that is read')]).toEqual([2, true])
    expect(stderr).toMatch(
      /^The plots are in .*replay\.html\.\nlb tune --trace requests\.log --nodes 2 --profile instant --slowness [\d.]+ searches settings for this traffic\.\n$/,
    )
    expect(stdout).toContain('pool demo, 20 requests')
    expect(stdout).toMatch(/^measured then +2 /m)
    expect(stdout).toMatch(/^round-robin, as it ran +2 /m)
    expect(stdout).toMatch(/^lmetric with 1 node: p90 TTFT/m)
    const report = await json('replay', 'requests.log', '--topology', 'lb.yaml', '--strategy', 'lmetric', '--no-fit')
    const [before, after] = report.results
    expect(after?.cachedTokenShare, 'a conversation stays where its beginning is cached').toBeGreaterThan(0.3)
    expect(before?.cachedTokenShare).toBeLessThanOrEqual(after?.cachedTokenShare ?? 0)
    const short = await house.lb(['tune', '--trace', 'requests.log'])
    expect([short.code, short.stderr.includes('20 requests are too few to tune on')]).toEqual([2, true])
  })
})

describe('lb tune', () => {
  it('says what settings would gain, with an interval, and the lines to copy', async () => {
    const args = [
      'tune',
      '--trace',
      'tenant',
      '--requests',
      '500',
      '--nodes',
      '4',
      '--rate',
      '0.45',
      '--tries',
      '3',
      '--judges',
      '3',
      '--than',
      'round-robin',
    ]
    const { code, stdout } = await house.lb(args)
    expect(code).toBe(0)
    expect(stdout).toMatch(/mean E2E {2}0\.\d{3}x of the former, 95 % interval 0\.\d{3} to 0\.\d{3}: better/)
    expect(stdout).toContain('strategy: { name: "marginal-cost", profile: "8b-a100"')
    const { judged, gains } = (await json(...args)) as unknown as { judged: { pairs: number }; gains: boolean }
    expect([judged.pairs, gains]).toEqual([3, true])
  })
})
