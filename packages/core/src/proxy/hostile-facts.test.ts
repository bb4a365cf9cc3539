import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { scanRequest } from '../dialects/index.js'
import { isLbError } from '../errors/index.js'
import { requiredLabels, sloTtftMsOf } from './asked-headers.js'
import { sessionOf } from './session-of.js'

const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.uuid())
const headers = fc.dictionary(
  fc.constantFrom(
    'x-session-id',
    'x-lb-session',
    'x-claude-code-session-id',
    'session-id',
    'thread-id',
    'own',
    'x-lb-labels',
    'x-lb-slo-ttft-ms',
  ),
  text,
)
const body = fc.record(
  { session_id: fc.jsonValue(), prompt_cache_key: fc.jsonValue(), user: fc.jsonValue(), metadata: fc.jsonValue(), model: fc.string() },
  { requiredKeys: [] },
)

describe('whatever a request says of itself', () => {
  it('its conversation has a short name or none, the same for the same request', () => {
    fc.assert(
      fc.property(headers, body, (given, fields) => {
        const scan = scanRequest('openai-chat', Buffer.from(JSON.stringify(fields)))
        const session = sessionOf({ headers: given, scan, header: 'own' })
        expect(sessionOf({ headers: given, scan, header: 'own' })).toEqual(session)
        if (session === undefined) return
        expect(session.name.length).toBeGreaterThan(0)
        expect(session.name.length).toBeLessThanOrEqual(128)
      }),
    )
  })

  it('a header that is not understood is refused by its name, and one that is understood means what it says', () => {
    fc.assert(
      fc.property(headers, (given) => {
        try {
          const slo = sloTtftMsOf(given)
          expect(slo === undefined || (slo > 0 && slo <= 3_600_000)).toBe(true)
          for (const [name, value] of requiredLabels(given, undefined) ?? []) expect(name !== '' && value !== '').toBe(true)
        } catch (error) {
          if (!isLbError(error)) throw error
          expect(error).toMatchObject({ code: 'LB_BAD_HEADER', httpStatus: 400 })
        }
      }),
    )
  })
})
