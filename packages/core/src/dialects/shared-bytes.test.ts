import { describe, expect, it } from 'vitest'
import { sharedBytes } from './shared-bytes.js'

describe('shared bytes', () => {
  it('are one copy for all who keep the same', () => {
    const read = Buffer.from('a"},"finish_reason":null}]}')
    const one = sharedBytes(read, 1, read.byteLength)
    expect(sharedBytes(Buffer.from('bb"},"finish_reason":null}]}'), 2, 28)).toBe(one)
    read.fill(0)
    expect(one.toString()).toBe('"},"finish_reason":null}]}')
  })

  it('differ where the bytes do, also where they are as many', () => {
    const [one, other] = ['abc', 'abd'].map((text) => sharedBytes(Buffer.from(text), 0, 3).toString())
    expect([one, other]).toEqual(['abc', 'abd'])
  })

  it('are forgotten when many others came', () => {
    const first = sharedBytes(Buffer.from('first'), 0, 5)
    for (let index = 0; index < 100; index += 1) sharedBytes(Buffer.from(`n${index}`), 0, `n${index}`.length)
    const again = sharedBytes(Buffer.from('first'), 0, 5)
    expect(again).not.toBe(first)
    expect(again).toEqual(first)
  })
})
