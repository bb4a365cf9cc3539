import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ExactContinuation } from '../contracts/index.js'
import { TokenLedger } from './token-ledger.js'

const how: ExactContinuation = {
  ask: {},
  field: 'ids',
  tokensOf: (value) => {
    if (Array.isArray(value)) return { ids: value as number[] }
    const { list, bytes } = (value ?? {}) as { list?: number[]; bytes?: number }
    return list === undefined ? undefined : { ids: list, ...(bytes === undefined ? {} : { bytes }) }
  },
  promptField: 'prompt_ids',
}

const event = (text: string, ids: unknown, more: object = {}): Buffer =>
  Buffer.from(`data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text }, ids, finish_reason: null }], ...more })}\n\n`)
const without = (text: string): string =>
  `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`

describe('the ledger of token ids', () => {
  it('takes ids out of any event, and leaves every other byte as it is', () => {
    const value = fc.oneof(
      fc.array(fc.nat(2 ** 31), { maxLength: 5 }),
      fc.record({ list: fc.array(fc.nat(9)), more: fc.array(fc.record({ token: fc.string(), deep: fc.array(fc.string()) })) }),
      fc.constant(null),
    )
    const hard = fc.constantFrom(',"ids":[9]', '\\",\\"ids\\":[', '","ids":[1],"x":"', '}]}', '🚢')
    fc.assert(
      fc.property(fc.oneof(fc.string(), hard), value, (text, ids) => {
        const ledger = new TokenLedger(how)
        expect(ledger.take(event(text, ids)).toString()).toBe(without(text))
        ledger.settle(true)
        const told = Array.isArray(ids) ? ids : ids?.list
        expect(ledger.idsOf(text)).toEqual(told === undefined || told.length === 0 ? undefined : told)
      }),
    )
  })

  it('keeps the ids of the prompt, which come with the first event', () => {
    const ledger = new TokenLedger(how)
    expect(ledger.take(event('a', [7], { prompt_ids: [1, 2, 3] })).toString()).toBe(without('a'))
    expect(ledger.prompt).toEqual([1, 2, 3])
  })

  it('does not keep those of a prompt that is very long', () => {
    const ledger = new TokenLedger(how)
    const long = Array.from({ length: 65_537 }, (_, index) => index)
    expect(ledger.take(event('a', [7], { prompt_ids: long })).toString()).toBe(without('a'))
    expect(ledger.prompt).toBeUndefined()
  })

  it('counts ids without text once the character is whole', () => {
    const ledger = new TokenLedger(how)
    for (const [text, ids] of [
      ['', [1]],
      ['', [2]],
      ['🚢', [3]],
      ['', [4]],
    ] as const) {
      ledger.take(event(text, ids))
      ledger.settle(text !== '')
    }
    expect([ledger.count, ledger.idsOf('🚢')]).toEqual([3, [1, 2, 3]])
  })

  it('knows nothing where the text has more bytes than the tokens that were told', () => {
    const ledger = new TokenLedger(how)
    ledger.take(event('🚢', { list: [3], bytes: 1 }))
    ledger.settle(true)
    expect(ledger.idsOf('🚢')).toBeUndefined()
  })

  it('holds more than a few', () => {
    const ledger = new TokenLedger(how)
    for (let id = 0; id < 1_000; id += 1) {
      ledger.take(event('a', [id]))
      ledger.settle(true)
    }
    expect(ledger.idsOf('a')).toEqual(Array.from({ length: 1_000 }, (_, id) => id))
  })
})
