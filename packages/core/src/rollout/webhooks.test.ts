import { describe, expect, it } from 'vitest'
import { FakeClock } from '../base/index.js'
import { silentLogger } from '../contracts/index.js'
import { Webhooks } from './webhooks.js'

const settled = () => new Promise<void>((resolve) => void setImmediate(resolve))

it('a webhook is tried three times, and nobody waits for it', async () => {
  const clock = new FakeClock()
  const tries: string[] = []
  const warnings: unknown[] = []
  const log = { ...silentLogger, warn: (event: string, facts?: object) => void warnings.push([event, facts]) }
  const post = (url: string) => {
    tries.push(`${clock.nowMs()} ${url}`)
    return url.includes('good') ? Promise.resolve() : Promise.reject(new Error('answered 500'))
  }
  new Webhooks({ clock, log, post }).tell(['http://good/x', 'http://bad/secret'], { phase: 'promoted' })
  for (let step = 0; step < 8; step += 1) {
    await settled()
    clock.advance(1000)
  }
  await settled()
  expect(tries).toEqual(['0 http://good/x', '0 http://bad/secret', '1000 http://bad/secret', '6000 http://bad/secret'])
  expect(warnings).toEqual([['rollout.webhook_failed', { host: 'bad', phase: 'promoted', error: 'answered 500' }]])
  expect(clock.pending).toBe(0)
})

describe('a webhook that hangs', () => {
  it('is given up, and what was told last arrives last', async () => {
    const clock = new FakeClock()
    const arrived: unknown[] = []
    let isHanging = true
    const post = (_url: string, body: object) => {
      if (isHanging) return new Promise<void>(() => undefined)
      arrived.push((body as { phase: string }).phase)
      return Promise.resolve()
    }
    const webhooks = new Webhooks({ clock, log: silentLogger, post })
    for (const phase of ['stepping', 'holding', 'promoted']) webhooks.tell(['http://slow'], { phase })
    for (let step = 0; step < 12; step += 1) {
      await settled()
      clock.advance(1000)
    }
    isHanging = false
    for (let step = 0; step < 20; step += 1) {
      await settled()
      clock.advance(1000)
    }
    expect(arrived).toEqual(['stepping', 'holding', 'promoted'])
    expect(clock.pending).toBe(0)
  })

  it('holds back no more than the newest, whoever tells however much, and nothing after the end', async () => {
    const clock = new FakeClock()
    const warnings: unknown[] = []
    let tries = 0
    const log = { ...silentLogger, warn: (_event: string, facts?: object) => void warnings.push(facts) }
    const post = () => ((tries += 1), new Promise<void>(() => undefined))
    const webhooks = new Webhooks({ clock, log, post })
    for (let phase = 0; phase < 100; phase += 1) webhooks.tell(['http://slow'], { phase: `${phase}` })
    await settled()
    expect([tries, warnings.length]).toEqual([1, 79])
    expect(warnings[0]).toEqual({ host: 'slow', phase: '1', error: '20 others wait already' })
    webhooks.stop()
    expect(clock.pending).toBe(0)
  })
})
