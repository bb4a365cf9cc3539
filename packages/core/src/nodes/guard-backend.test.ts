import { describe, expect, it } from 'vitest'
import { silentLogger, type Backend, type ProbeReport } from '../contracts/index.js'
import { openaiDialect } from '../dialects/index.js'
import { guardBackend } from './guard-backend.js'

const usual: Backend = { probe: () => Promise.resolve({ verdict: 'ready' }), minProbeIntervalMs: 10, dialect: openaiDialect() }
const signal = AbortSignal.timeout(5000)
const probing = (probe: () => Promise<ProbeReport>) => guardBackend({ ...usual, probe }, 'tiny', silentLogger).probe(signal)

describe('what a plugin gives as a backend', () => {
  it.each([
    [undefined, /gave undefined, no backend/],
    [null, /gave null/],
    [{ ...usual, probe: undefined }, /no probe/],
    [{ ...usual, minProbeIntervalMs: Number.NaN }, /minProbeIntervalMs is NaN/],
    [{ ...usual, minProbeIntervalMs: 0 }, /minProbeIntervalMs is 0/],
    [{ ...usual, extraPorts: 1e9 }, /extraPorts is 1000000000/],
    [{ ...usual, extraPorts: -1 }, /extraPorts is -1/],
    [{ ...usual, dialect: undefined }, /dialect lacks/],
    [{ ...usual, dialect: { paths: {}, headers: {} } }, /dialect lacks/],
  ])('is refused where it is none: %j', (given, message) => {
    expect(() => guardBackend(given as never, 'tiny', silentLogger)).toThrow(message)
  })

  it('may be an instance of a class with private fields', async () => {
    class Tiny implements Backend {
      readonly #reason = 'still young'
      readonly minProbeIntervalMs = 10
      readonly dialect = usual.dialect
      probe(): Promise<ProbeReport> {
        return Promise.resolve({ verdict: 'loading', reason: this.#reason })
      }
      loadingStep(): { step: string } {
        return { step: this.#reason }
      }
    }
    const guarded = guardBackend(new Tiny(), 'tiny', silentLogger)
    expect(await guarded.probe(signal)).toEqual({ verdict: 'loading', reason: 'still young' })
    expect(guarded.loadingStep?.('')).toEqual({ step: 'still young' })
    expect(guarded.load).toBeUndefined()
  })

  it('is named where it slips in a probe, and not where its engine does', async () => {
    await expect(probing(() => Promise.reject(new TypeError('x is not a function')))).rejects.toThrow(
      /plugin of engine `tiny` failed in its probe: x is not a function/,
    )
    await expect(
      probing(() => {
        throw new ReferenceError('y is not defined')
      }),
    ).rejects.toThrow(/tiny.*y is not defined/)
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
    await expect(probing(() => Promise.reject(refused))).rejects.toBe(refused)
    const fetchFailed = Object.assign(new TypeError('fetch failed'), { cause: refused })
    await expect(probing(() => Promise.reject(fetchFailed))).rejects.toBe(fetchFailed)
  })

  it.each([undefined, null, 'ready', {}, { verdict: 'fine' }, { verdict: 'sick' }])(
    'is named where its probe answers %j',
    async (report) => {
      await expect(probing(() => Promise.resolve(report as never))).rejects.toThrow(/tiny.*no verdict/)
    },
  )

  it('is named where its load is no facts', async () => {
    const guarded = guardBackend({ ...usual, load: () => Promise.resolve(7 as never) }, 'tiny', silentLogger)
    await expect(guarded.load?.(signal)).rejects.toThrow(/failed in its load: it answered 7/)
  })
})
