import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DeliveredLedger } from './delivered-ledger.js'

const MOST = 262_144

describe('the ledger of what was delivered', () => {
  it('gives back all text, whichever way it came in', () => {
    const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.constantFrom('"', '\\', '\n', '\ud83d', '\udea2', '', '\u0000'))
    fc.assert(
      fc.property(fc.array(fc.tuple(text, fc.boolean())), (parts) => {
        const ledger = new DeliveredLedger()
        for (const [part, asBytes] of parts) {
          const bytes = Buffer.from(`xx${JSON.stringify(part)}yy`)
          if (asBytes) ledger.append(bytes, 3, bytes.byteLength - 3)
          else ledger.appendText(part)
          bytes.fill(0)
        }
        expect(ledger.text()).toBe(parts.map(([part]) => part).join(''))
        expect(ledger.complete).toBe(true)
      }),
    )
  })

  it('joins the halves of a character that two events divide', () => {
    const ledger = new DeliveredLedger()
    const bytes = Buffer.from('\\ud83d')
    ledger.append(bytes, 0, bytes.byteLength)
    ledger.appendText('\udea2')
    expect(ledger.text()).toBe('🚢')
  })

  it('holds exactly 256 KiB', () => {
    const ledger = new DeliveredLedger()
    const piece = Buffer.alloc(1_000, 'x')
    for (let left = MOST; left > 0; left -= piece.byteLength) ledger.append(piece, 0, Math.min(left, piece.byteLength))
    expect([ledger.complete, ledger.byteLength, ledger.text()?.length]).toEqual([true, MOST, MOST])
    ledger.append(piece, 0, 0)
    expect(ledger.complete).toBe(true)
    ledger.append(piece, 0, 1)
    expect([ledger.complete, ledger.text()]).toEqual([false, undefined])
  })

  it.each([1, 700, MOST + 1])('lets its memory go when it is full (pieces of %i bytes)', (size) => {
    const before = process.memoryUsage().arrayBuffers
    const piece = Buffer.alloc(size, 'x')
    const ledgers = Array.from({ length: 20 }, () => {
      const ledger = new DeliveredLedger()
      for (let given = 0; given <= MOST; given += size) ledger.append(piece, 0, size)
      ledger.append(piece, 0, size)
      return ledger
    })
    expect(ledgers.every((ledger) => !ledger.complete && ledger.text() === undefined)).toBe(true)
    // Full ones are still here and hold nothing: what is left is garbage of this test at most.
    expect(ledgers.every((ledger) => (ledger as unknown as { memory: Buffer }).memory.byteLength === 0)).toBe(true)
    expect(before).toBeGreaterThan(0)
  })

  it('holds little for short answers', () => {
    const ledger = new DeliveredLedger()
    ledger.appendText('x'.repeat(100))
    expect((ledger as unknown as { memory: Buffer }).memory.byteLength).toBeLessThanOrEqual(512)
  })

  it('that was given what is no inside of a JSON string has no text', () => {
    const ledger = new DeliveredLedger()
    const bytes = Buffer.from('a\nb\\x')
    ledger.append(bytes, 0, bytes.byteLength)
    expect(ledger.text()).toBeUndefined()
  })
})
