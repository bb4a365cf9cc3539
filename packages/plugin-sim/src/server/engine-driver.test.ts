import { createEngineModel } from '@plimsoll/engine-model'
import { describe, expect, it, vi } from 'vitest'
import { EngineDriver } from './engine-driver.js'

/** A driver whose clock and timers move by hand. */
function scene(
  run: (scene: { driver: EngineDriver; advance: (ms: number) => void; submit: (id: string, tokens: number) => number[] }) => void,
) {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
  try {
    const driver = new EngineDriver(
      createEngineModel({ preset: '8b-h100', prefillTokenMs: 0, decodeSequenceMs: 0, kvTokenMs: 0, attentionPairMs: 0, baseMs: 7.3 }),
    )
    const submit = (id: string, outputTokens: number) => {
      const heard: number[] = []
      driver.submit(
        { id, promptTokens: 10, outputTokens, blockHashes: [] },
        { onProgress: ({ producedTokens }) => void heard.push(producedTokens) },
      )
      return heard
    }
    run({ driver, advance: (ms) => void vi.advanceTimersByTime(ms), submit })
    driver.close()
  } finally {
    vi.useRealTimers()
  }
}

describe('the driver of the engine', () => {
  it('steps by absolute deadlines: late timers do not add up', () => {
    scene(({ advance, submit }) => {
      const heard = submit('a', 1000)
      advance(7.3 * 100 + 2)
      expect(heard.at(-1)).toBe(100)
    })
  })

  it('tells of several tokens of one turn at once', () => {
    scene(({ driver, advance, submit }) => {
      driver.model.setSlowness(0.01)
      const heard = submit('a', 50)
      advance(20)
      expect(heard.at(-1)).toBe(50)
      expect(heard.length).toBeLessThan(20)
    })
  })

  it('says nothing more of a cancelled request', () => {
    scene(({ driver, advance, submit }) => {
      const heard = submit('a', 100)
      advance(30)
      const before = heard.length
      expect(driver.cancel('a')).toBe(true)
      expect(driver.model.stats).toMatchObject({ running: 0, usedBlocks: 0 })
      advance(100)
      expect(heard).toHaveLength(before)
    })
  })

  it('stands still while frozen, takes requests, and goes on when thawed', () => {
    scene(({ driver, advance, submit }) => {
      const first = submit('a', 5)
      driver.freeze()
      const second = submit('b', 5)
      advance(1000)
      expect([first, second]).toEqual([[], []])
      driver.thaw()
      advance(80)
      expect([first.at(-1), second.at(-1)]).toEqual([5, 5])
    })
  })

  it('starts again after an idle time without catching it up', () => {
    scene(({ advance, submit }) => {
      submit('a', 1)
      advance(500)
      const heard = submit('b', 50)
      advance(7.3 * 3 + 1)
      expect(heard.at(-1)).toBe(3)
    })
  })
})
