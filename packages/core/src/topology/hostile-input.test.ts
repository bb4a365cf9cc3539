import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { engines, errorsOf, resolveText, strategies } from './catalogue.test.fixture.js'
import { TopologyErrors } from './topology-errors.js'
import { resolveTopology } from './resolve-topology.js'

const sample = `version: 1
gateway: { listen: [127.0.0.1:8484, unix:/run/lb.sock], apiKeys: [{ env: K }], maxBody: 10MiB }
pools:
  demo: &demo
    models: [sim-8b]
    strategy: { name: two-choices, by: tokens }
    nodes:
      - { name: sim, engine: sim, launch: { replicas: 4, args: { profile: instant }, env: { A: "b" } } }
      - engine: vllm
        attach: "http://\${HOST:-localhost}:8000/x"
    health: { interval: 2s, fall: 3 }
    drain: 60s
`

/** True when the text resolves or is refused with places; anything else that is thrown fails the run. */
async function behaves(resolving: Promise<unknown>): Promise<boolean> {
  try {
    await resolving
    return true
  } catch (error) {
    if (!(error instanceof TopologyErrors)) throw error
    return error.problems.length > 0 && error.render().endsWith('nothing was changed.')
  }
}

const cut = fc.record({
  at: fc.nat(sample.length),
  length: fc.nat(20),
  insert: fc.oneof(
    fc.string({ maxLength: 6 }),
    fc.constantFrom('*demo', '&x ', '!!set ', '{', ']', ': ', '\n', '\t', '${', '- ', '"', '<<: *demo', '__proto__: 1', '? '),
  ),
})

describe('a mutated file', () => {
  it('resolves or is refused with places, and nothing else is ever thrown', { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(fc.array(cut, { minLength: 1, maxLength: 4 }), (cuts) => {
      let text = sample
      for (const { at, length, insert } of cuts) text = text.slice(0, at) + insert + text.slice(at + length)
      return behaves(resolveText(text))
    })
    await fc.assert(property, { numRuns: 150 })
  })

  it('holds for arbitrary data from a program, too', { timeout: 60_000 }, async () => {
    const property = fc.asyncProperty(
      fc.anything({ withDate: true, withMap: true, withNullPrototype: true, withSparseArray: true }),
      (value) => {
        const input = { pools: { a: { nodes: [{ engine: 'ollama' }], strategy: value } }, gateway: value } as never
        return behaves(resolveTopology(input, { engines, strategies, env: {} }))
      },
    )
    await fc.assert(property, { numRuns: 100 })
  })
})

describe('a hostile file', () => {
  it('cannot grow through aliases', async () => {
    const layers = Array.from(
      { length: 8 },
      (_, index) => `x-${index + 1}: &l${index + 1} [${Array.from({ length: 9 }, () => `*l${index}`).join(', ')}]`,
    )
    const { problems } = await errorsOf(resolveText(['x-0: &l0 [a]', ...layers, 'pools: {a: {nodes: [{engine: ollama}]}}'].join('\n')))
    expect(problems).toHaveLength(1)
    expect(problems[0]?.message).toBe('more than 100 YAML aliases are expanded')
  })

  it('cannot hold itself', async () => {
    const { problems } = await errorsOf(resolveText('x-a: &a [*a]\npools: {a: {nodes: [{engine: ollama}]}}'))
    expect(problems.map(({ line }) => line)).toContain(1)
  })

  it('cannot exhaust the stack or be larger than 1 MiB', async () => {
    expect((await errorsOf(resolveText('['.repeat(50_000)))).problems.length).toBeGreaterThan(0)
    expect((await errorsOf(resolveText(`# ${'x'.repeat(1024 * 1024)}`))).problems[0]?.message).toBe('the file is larger than 1 MiB')
  })

  it('may use aliases in measure', async () => {
    const topology = await resolveText('x-nodes: &nodes [{engine: ollama}]\npools: {a: {nodes: *nodes}, b: {nodes: *nodes}}')
    expect(topology.pools.map(({ groups }) => groups[0]?.engine)).toEqual(['ollama', 'ollama'])
  })
})
