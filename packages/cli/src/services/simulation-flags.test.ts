import { createStrategyRegistry } from '@plimsoll/core'
import { describe, expect, it } from 'vitest'
import { parseFaults } from './parse-faults.js'
import { parseRates } from './parse-rates.js'
import { parseStrategies } from './parse-strategies.js'
import { knowingTheMachine } from './run-simulations.js'
import { simulatedFleet } from './simulated-fleet.js'

const registry = createStrategyRegistry()
const strategies = (text: string) => parseStrategies(text, registry)

describe('--rate', () => {
  it.each([
    ['1.2', [1.2]],
    ['0.6,0.9', [0.6, 0.9]],
    ['0.6..1.2', [0.6, 0.8, 1, 1.2]],
    ['0.6..1.2/7', [0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2]],
    ['1,1', [1]],
    ['0.5,1..2/2', [0.5, 1, 2]],
  ])('reads %s', (text, rates) => expect(parseRates(text)).toEqual(rates))

  it.each(['', 'x', '0', '-1', '1,', '2..1', '1..', '..', '1..2/1', '1..2/x', 'Infinity', '1e9', '1..2/99'])(
    'refuses "%s" and says what would do',
    (text) => {
      expect(() => parseRates(text)).toThrow(`--rate ${text}`)
    },
  )
})

describe('--fault', () => {
  it('reads crashes, slow nodes and their end', () => {
    expect(parseFaults(['crash@60s:n2', 'crash@1m:n0:10s', 'slow@500ms:n7:4x,recover@90s:n7', 'slow@0s:n1:1.5'], 8)).toEqual([
      { kind: 'crash', atMs: 60_000, node: 2 },
      { kind: 'crash', atMs: 60_000, node: 0, backAfterMs: 10_000 },
      { kind: 'slow', atMs: 500, node: 7, slowness: 4 },
      { kind: 'recover', atMs: 90_000, node: 7 },
      { kind: 'slow', atMs: 0, node: 1, slowness: 1.5 },
    ])
  })

  it.each([
    '',
    'crash',
    'crash@60s',
    'crash@x:n1',
    'crash@60s:n8',
    'crash@60s:n1:x',
    'slow@1s:n1',
    'slow@1s:n1:0',
    'slow@1s:n1:fast',
    'recover@1s:n1:2',
    'burn@1s:n1',
  ])('refuses "%s"', (text) => expect(() => parseFaults([text], 8)).toThrow(`--fault ${text}`))
})

describe('--strategy', () => {
  it('reads names, aliases and settings, each once', () => {
    expect(strategies('round-robin, marginal-cost:batch=2+queue=0.5,round-robin')).toEqual([
      { name: 'round-robin', label: 'round-robin', settings: {} },
      { name: 'marginal-cost', label: 'marginal-cost:batch=2+queue=0.5', settings: { batch: 2, queue: 0.5 } },
    ])
    const alias = registry.all.flatMap(({ name, aliases = [] }) => aliases.map((short) => ({ name, short })))[0]
    if (alias !== undefined) expect(strategies(alias.short)[0]).toMatchObject({ name: alias.name, label: alias.short })
  })

  it('says what is wrong with a name or a setting before anything runs', () => {
    expect(() => strategies('nope')).toThrow('there is no strategy nope')
    expect(() => strategies(',')).toThrow('--strategy names none')
    expect(() => strategies('marginal-cost:foo=1')).toThrow('marginal-cost has no setting foo')
    expect(() => strategies('marginal-cost:toString=1')).toThrow('no setting toString')
    expect(() => strategies('marginal-cost:batch')).toThrow('"batch" is no key=value')
    expect(() => strategies('marginal-cost:batch=x')).toThrow('batch is "x"; it is a number')
    expect(() => strategies('marginal-cost:batch=-1')).toThrow('it is at least 0')
    expect(() => strategies('marginal-cost:batch=1000')).toThrow('it is at most 20')
    expect(() => strategies('marginal-cost:profile=cray')).toThrow('it is one of 8b-a100')
  })

  it('is told the machine where all nodes are alike, and nobody said another', () => {
    const [mc = { name: '', label: '', settings: {} }] = strategies('marginal-cost')
    const alike = [{ preset: '8b-h100' as const }, { preset: '8b-h100' as const }]
    expect(knowingTheMachine(mc, { nodes: alike, registry }).settings).toEqual({ profile: '8b-h100' })
    expect(knowingTheMachine(mc, { nodes: [...alike, { preset: '8b-a100' }], registry }).settings).toEqual({})
    expect(knowingTheMachine({ ...mc, settings: { profile: '8b-a100' } }, { nodes: alike, registry }).settings).toEqual({
      profile: '8b-a100',
    })
    const [plain = mc] = strategies('round-robin')
    expect(knowingTheMachine(plain, { nodes: alike, registry })).toBe(plain)
  })
})

describe('--nodes', () => {
  const usual = { nodes: 8, profile: '8b-h100' } as const
  const fleet = (nodes?: string, profile?: string) => simulatedFleet({ cwd: '/', pluginRoots: [], nodes, profile }, usual)

  it('counts nodes of one kind or of several', async () => {
    expect((await fleet()).summary).toBe('8 nodes 8b-h100')
    expect((await fleet('1', '8b-a100')).summary).toBe('1 node 8b-a100')
    expect(await fleet('2x8b-a100,1')).toEqual({
      nodes: [{ preset: '8b-a100' }, { preset: '8b-a100' }, { preset: '8b-h100' }],
      summary: '3 nodes: 2 8b-a100, 1 8b-h100',
    })
  })

  it.each(['0', 'x', '', '-2', '2x', '1.5', '5000', '999999'])('refuses %s', async (nodes) => {
    await expect(fleet(nodes)).rejects.toThrow(/--nodes|too many/)
  })

  it('makes all of them slower', async () => {
    const slow = await simulatedFleet({ cwd: '/', pluginRoots: [], nodes: '2', slowness: '1.5' }, usual)
    expect(slow).toEqual({
      nodes: [1, 2].map(() => ({ preset: '8b-h100', slowness: 1.5 })),
      summary: '2 nodes 8b-h100 at 1.5x its step time',
    })
    for (const slowness of ['0', 'x', '-1', '', '1e9'])
      await expect(simulatedFleet({ cwd: '/', pluginRoots: [], slowness }, usual)).rejects.toThrow(`--slowness ${slowness}`)
  })

  it('refuses a profile that is none', async () => {
    await expect(fleet('2', 'cray')).rejects.toThrow('there is no profile cray')
    await expect(fleet('2xcray')).rejects.toThrow('there is no profile cray')
  })
})
