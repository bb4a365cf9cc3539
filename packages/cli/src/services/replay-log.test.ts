import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { replayText } from '../views/replay-text.js'
import { replayLog, type ReplayFlags } from './replay-log.js'

const folder = mkdtempSync(join(tmpdir(), 'lb-replay-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const hash = (text: string): string => Buffer.from(text).toString('hex').padStart(13, '0').slice(-13)

/** 300 requests, two a second, with one of five long system prompts each; so much time for each token, streamed or not. */
function writeLog(name: string, tokenMs: number, stream = true): string {
  const lines = Array.from({ length: 300 }, (_, at) => {
    const head = Array.from({ length: 32 }, (_each, block) => hash(`${at % 5}.${block}`))
    return JSON.stringify({
      v: 1,
      id: `r${at}`,
      arrivedAtMs: 1_700_000_000_000 + at * 500,
      face: 'openai-chat',
      pool: 'chat',
      node: `chat/n-${at % 3}`,
      stream,
      outcome: 'ok',
      promptTokens: 2100,
      completionTokens: 50,
      cachedTokens: at < 15 ? 0 : 2000,
      ttftMs: stream ? 60 : 60 + 49 * tokenMs,
      totalMs: 60 + 49 * tokenMs,
      prefixHashes: [...head, hash(`own ${at}`)],
    })
  })
  writeFileSync(join(folder, name), `${lines.join('\n')}\n`)
  return name
}

const replay = (log: string, more: Partial<ReplayFlags> = {}) =>
  replayLog({ cwd: folder, pluginRoots: [], log, seed: 1, fit: true, was: 'round-robin', ...more }, () => undefined)

describe('a replay', () => {
  it('has as many nodes as answered, as slow as the log says, and says what the log says', async () => {
    const { log, slowness, results } = await replay(writeLog('slow.log', 14))
    expect(log).toMatchObject({ pool: 'chat', requests: 300, leftOut: 0, nodes: 3 })
    expect(results.map(({ requests }) => requests)).toEqual([300, 300, 300])
    expect(log.spanMs).toBe(299 * 500)
    expect(log.measured.tpotMs?.p50).toBeCloseTo(14)
    expect(log.measured.cachedTokenShare).toBeCloseTo((285 * 2000) / (300 * 2100))
    // A step of the profile is 7 ms and little more with hardly any load.
    expect(slowness).toBeGreaterThan(1.7)
    expect(slowness).toBeLessThan(2.1)
    expect(Math.abs((results[0]?.tpotMs.p50 ?? 0) / 14 - 1)).toBeLessThan(0.05)
    expect(results.map(({ label, nodes }) => [label, nodes])).toEqual([
      ['round-robin', 3],
      ['lmetric', 3],
      ['marginal-cost', 3],
    ])
    expect((results[1]?.cachedTokenShare ?? 0) > (results[0]?.cachedTokenShare ?? 1)).toBe(true)
  })

  it('fits to whole answers where nothing was streamed, and not at all where nobody wants it', async () => {
    const plain = await replay(writeLog('plain.log', 21, false), { strategy: 'round-robin' })
    expect(plain.log.measured.ttftMs).toBeNull()
    expect(replayText(plain)).toMatch(/^measured then +\d+ +- +- +- /m)
    expect(Math.abs((plain.results[0]?.e2eMs.p50 ?? 0) / plain.log.measured.e2eMs.p50 - 1)).toBeLessThan(0.05)
    expect((await replay('plain.log', { fit: false })).slowness).toBe(1)
  })

  it('tries numbers of nodes with what ran, and other strategies where they are named', async () => {
    const counts = async (more: Partial<ReplayFlags>) =>
      (await replay('slow.log', more)).results.map(({ label, nodes }) => `${label} ${nodes}`)
    expect(await counts({ nodes: '2,4' })).toEqual(['round-robin 3', 'round-robin 2', 'round-robin 4'])
    expect(await counts({ nodes: '2,3', strategy: 'lmetric' })).toEqual(['round-robin 3', 'round-robin 2', 'lmetric 2', 'lmetric 3'])
  })

  it.each([
    [{ nodes: '0' }, '--nodes 0'],
    [{ nodes: '2,x' }, '--nodes 2,x'],
    [{ nodes: '2.5' }, '--nodes 2.5'],
    [{ was: 'nope' }, 'there is no strategy nope'],
    [{ was: ',' }, '--strategy names none'],
    [{ pool: 'other' }, 'no answered request of pool other'],
    [{ profile: 'cray' }, 'there is no profile cray'],
  ])('refuses %j', async (more, message) => {
    await expect(replay('slow.log', more)).rejects.toThrow(message)
  })
})
