import { describe, expect, it } from 'vitest'
import { seededRandom } from '../base/index.js'
import { scriptOf } from './script-of.js'
import { tenantOf, TokenEstimates } from './token-estimates.js'

const chat = (content: string): Buffer => Buffer.from(JSON.stringify({ model: 'm', messages: [{ role: 'user', content }] }))
const english = 'The keeper of the light wrote down what the sea had brought, and went to bed. '
const chinese = '灯塔的看守人写下了大海带来的一切,然后上床睡觉。'
const russian = 'Смотритель маяка записал, что принесло море, и лёг спать. '
const program = 'for (let i = 0; i < n; i++) { if (a[i] > b[i]) { c[i] += a[i] * (b[i] - 1); } else { c[i] = {}; } }\n'

describe('what a body is written in', () => {
  it.each([
    ['latin', chat(english.repeat(20))],
    ['wide', chat(chinese.repeat(20))],
    ['two-byte', chat(russian.repeat(20))],
    ['code', chat(program.repeat(20))],
    [
      'escaped',
      Buffer.from(
        chat(chinese.repeat(20))
          .toString()
          .replaceAll(/[^ -~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`),
      ),
    ],
    ['latin', Buffer.alloc(0)],
  ])('is told as %s from some sixty bytes of it', (script, body) => {
    expect(scriptOf(body)).toBe(script)
  })
})

describe('estimates of tokens', () => {
  const usage = (promptTokens: number, completionTokens = 10) => ({ promptTokens, completionTokens })

  it('of prompts learn a ratio for each script and size: mixed traffic is estimated within a tenth', () => {
    const estimates = new TokenEstimates()
    const random = seededRandom(3)
    const kinds = [
      { text: english, bytesPerToken: 4.4 },
      { text: chinese, bytesPerToken: 2.6 },
      { text: program, bytesPerToken: 2.9 },
    ]
    const errors: number[] = []
    for (let request = 0; request < 600; request += 1) {
      const { text, bytesPerToken } = kinds[Math.floor(random.next() * kinds.length)] ?? { text: english, bytesPerToken: 4 }
      const body = chat(text.repeat(1 + Math.floor(40 * random.next() ** 2)))
      const truth = Math.round(30 + (body.byteLength - 50) / bytesPerToken)
      const { tokens, script } = estimates.prompt('p', body)
      if (request >= 300) errors.push(Math.abs(tokens - truth) / truth)
      estimates.learn({ pool: 'p', bodyBytes: body.byteLength, script, tenant: 't', usage: usage(truth) })
    }
    expect(errors.reduce((sum, error) => sum + error, 0) / errors.length).toBeLessThan(0.1)
  })

  it('of answers follow the tenant, and the pool for one that is new', () => {
    const estimates = new TokenEstimates()
    for (let request = 0; request < 100; request += 1) {
      estimates.learn({ pool: 'p', bodyBytes: 100, script: 'latin', tenant: 'short', usage: usage(25, 10) })
      estimates.learn({ pool: 'p', bodyBytes: 100, script: 'latin', tenant: 'long', usage: usage(25, 1000) })
    }
    expect(estimates.output('p', 'short', undefined)).toBeLessThan(150)
    expect(estimates.output('p', 'long', undefined)).toBeGreaterThan(850)
    expect(estimates.output('p', 'new', undefined)).toBeGreaterThan(300)
    expect(estimates.output('p', 'new', undefined)).toBeLessThan(700)
    expect(estimates.output('p', 'long', 64)).toBe(64)
    expect(estimates.output('other', 'long', undefined)).toBe(128)
  })

  it('remember no more tenants than they may, the latest ones', () => {
    const estimates = new TokenEstimates()
    const learn = (tenant: string, tokens: number): void =>
      estimates.learn({ pool: 'p', bodyBytes: 100, script: 'latin', tenant, usage: usage(25, tokens) })
    for (let time = 0; time < 20; time += 1) learn('early', 5000)
    for (let tenant = 0; tenant < 4_096; tenant += 1) learn(`t${tenant}`, 100)
    expect(estimates.output('p', 'early', undefined)).toBe(estimates.output('p', 'new', undefined))
    expect(estimates.output('p', 't4000', undefined)).toBeGreaterThan(0)
  })

  it('bear counts that engines should not give', () => {
    const estimates = new TokenEstimates()
    estimates.learn({ pool: 'p', bodyBytes: 0, script: 'latin', tenant: 't', usage: usage(0, 0) })
    estimates.learn({ pool: 'p', bodyBytes: 400, script: undefined, tenant: 't', usage: usage(10, 0) })
    expect(estimates.prompt('p', chat('hello')).tokens).toBeGreaterThan(0)
    expect(estimates.prompt('p', Buffer.alloc(0)).tokens).toBe(1)
  })

  it('forget pools that are gone', () => {
    const estimates = new TokenEstimates()
    for (let time = 0; time < 20; time += 1)
      estimates.learn({ pool: 'p', bodyBytes: 100, script: 'latin', tenant: 't', usage: usage(25, 4000) })
    estimates.retain(new Set(['q']))
    expect(estimates.output('p', 't', undefined)).toBe(128)
  })
})

describe('a tenant', () => {
  it('is the client with a name, else whoever begins prompts so, else the address', () => {
    expect(tenantOf('team-a', Float64Array.of(7), '10.0.0.1')).toBe('team-a')
    expect(tenantOf(undefined, Float64Array.of(7), '10.0.0.1')).toBe(7)
    expect(tenantOf(undefined, new Float64Array(0), '10.0.0.1')).toBe('10.0.0.1')
  })
})
