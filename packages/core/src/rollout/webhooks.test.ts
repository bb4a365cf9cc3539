import { expect, it } from 'vitest'
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
  expect(warnings).toEqual([['rollout.webhook_failed', { host: 'bad', error: 'answered 500' }]])
  expect(clock.pending).toBe(0)
})
