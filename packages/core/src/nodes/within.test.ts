import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { within } from './within.js'

const never = () => new Promise<number>(() => undefined)

describe('what has so much time', () => {
  it('gives what it gives, or throws what it throws, and leaves no timer', async () => {
    const clock = new FakeClock()
    const options = { clock, withinMs: 1_000, cut: new AbortController().signal }
    expect(await within(options, () => Promise.resolve(7))).toBe(7)
    await expect(within(options, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(clock.pending).toBe(0)
  })

  it('is over then, though it heeds no signal', async () => {
    const clock = new FakeClock()
    const late = within({ clock, withinMs: 60_000, cut: new AbortController().signal }, never)
    clock.advance(60_000)
    await expect(late).rejects.toThrow('not within 60 s')
  })

  it('is over at once where all is cut', async () => {
    const clock = new FakeClock()
    const cut = new AbortController()
    const ended = within({ clock, withinMs: 60_000, cut: cut.signal }, never)
    cut.abort(new Error('lb stops'))
    await expect(ended).rejects.toThrow('lb stops')
    await expect(within({ clock, withinMs: 60_000, cut: cut.signal }, never)).rejects.toThrow('lb stops')
  })
})
