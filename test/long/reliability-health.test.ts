/**
 * The promises about nodes that no probe finds bad: gray, hung, flapping; and about those that are well and stay. `npm run test:long -- reliability-health`;
 * LB_TEST_SCALE=0.2 shortens the peaceful ones and keeps no figures.
 */
import { afterAll, describe, expect, it } from 'vitest'
import { flaps, hangsAndLies, Scene, slowFromBirth, threeOfFour, turnsSlow, usualFlags } from '../e2e/health-scenes.js'
import { noisy } from '../e2e/noisy-load.js'
import { quantile } from '../reliability/tally.js'
import { Results } from '../reliability/results.js'

const scale = Number(process.env['LB_TEST_SCALE'] ?? 1)
const MOST_SHARE = 0.05
const MOST_RECOVERY_MS = 12_000
const NOISY_MS = Math.max(60_000, 600_000 * scale)
/** What is weakened on purpose. */
const unjudged = '    health: { eject: { slower: 0 } }'
const unwatched = '    health: { hung: off }'

const results = new Results({
  row: 'health',
  title: 'a node that is bad while its probes are good is found; one that is well is left alone',
  promise: `a node that turns 4x slower than itself and its equals: under ${MOST_SHARE * 100} % of the traffic within 10 s; one that hangs behind a good /health: it is out within 10 s (single requests try it out later), and what it had is answered elsewhere, p99 within ${MOST_RECOVERY_MS / 1_000} s; slower machines and healthy nodes under noise are never ejected; at most half of a pool is`,
  how: 'four simulated engines (8b-h100, three times slower), 20 clients that ask again as soon as they are answered, every other one for a stream; what a node was sent is counted by the engine itself.',
})

afterAll(() => {
  if (scale === 1) results.write()
})

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`
const kept = (isKept: boolean): { 'promise kept': string } => ({ 'promise kept': isKept ? 'yes' : 'no' })
const seconds = (ms: number | undefined): string => (ms === undefined ? 'never' : `${(ms / 1_000).toFixed(1)} s`)
const broken = <Kind extends { readonly kind: string }>(answers: readonly Kind[]): Kind[] => answers.filter(({ kind }) => kind !== 'whole')

describe('a node that turns four times slower than itself and its equals', () => {
  it('has under 5 % of the traffic within ten seconds, and comes back when it is well', async () => {
    const figures = await turnsSlow({ warmMs: 20_000, backWithinMs: 150_000 })
    results.add({
      scenario: '4x slower',
      subject: 'lb',
      n: figures.answers.length,
      failed: broken(figures.answers).length,
      figures: {
        ...kept(figures.shareAfter < MOST_SHARE && figures.backAfterMs !== undefined),
        'share before': percent(figures.shareBefore),
        'share after 10 s': percent(figures.shareAfter),
        'out after': seconds(figures.outAfterMs),
        'back after': seconds(figures.backAfterMs),
      },
    })
    expect(broken(figures.answers)).toEqual([])
    expect(figures.shareBefore).toBeGreaterThan(0.15)
    expect(figures.shareAfter).toBeLessThan(MOST_SHARE)
    expect(figures.backAfterMs).toBeDefined()
  })

  // The default strategy turns away from slow nodes by itself: its control shows how far that goes, and may well keep the promise.
  it.each([
    ['adaptive', '', 0],
    ['round-robin', '    strategy: round-robin\n', MOST_SHARE],
  ])('keeps more where pace is not judged: the negative control, %s', async (strategy, more, least) => {
    const figures = await turnsSlow({ warmMs: 15_000, backWithinMs: 0, pool: `${more}${unjudged}` })
    const subject = `lb, pace not judged, ${strategy}`
    const share = { ...kept(figures.shareAfter < MOST_SHARE), 'share after 10 s': percent(figures.shareAfter) }
    results.add({
      scenario: '4x slower',
      subject,
      control: true,
      n: figures.answers.length,
      failed: broken(figures.answers).length,
      figures: share,
    })
    expect(figures.shareAfter).toBeGreaterThan(least)
  })
})

describe('a node that hangs while its /health says ok', () => {
  it('is out within ten seconds, and what it had is answered elsewhere', async () => {
    const figures = await hangsAndLies({ warmMs: 15_000, forMs: 25_000 })
    const p99Ms = quantile(figures.movedMs, 0.99)
    results.add({
      scenario: 'hangs and lies',
      subject: 'lb',
      n: figures.answers.length,
      failed: broken(figures.answers).length,
      figures: {
        ...kept((figures.outAfterMs ?? Infinity) < 10_000 && p99Ms < MOST_RECOVERY_MS),
        'out after': seconds(figures.outAfterMs),
        'share after 10 s': percent(figures.shareLater),
        moved: figures.movedMs.length,
        'recovery p99': seconds(p99Ms),
        longest: seconds(figures.longestMs),
      },
    })
    expect(broken(figures.answers)).toEqual([])
    expect(figures.outAfterMs).toBeLessThan(10_000)
    expect(figures.shareLater).toBeLessThan(MOST_SHARE)
    expect(figures.movedMs.length).toBeGreaterThan(0)
    expect(p99Ms).toBeLessThan(MOST_RECOVERY_MS)
    expect(figures.longestMs).toBeLessThan(MOST_RECOVERY_MS + 3_000)
  })

  it('keeps what it has where nobody watches: the negative control', async () => {
    const figures = await hangsAndLies({ warmMs: 8_000, forMs: 25_000, pool: unwatched })
    const longest = {
      ...kept(figures.longestMs < MOST_RECOVERY_MS),
      longest: seconds(figures.longestMs),
      'sent after 10 s': figures.sentLater,
    }
    results.add({
      scenario: 'hangs and lies',
      subject: 'lb, progress not watched',
      control: true,
      n: figures.answers.length,
      failed: broken(figures.answers).length,
      figures: longest,
    })
    expect(figures.longestMs).toBeGreaterThan(20_000)
  })
})

describe('nodes that are well', () => {
  it('are left alone where they are slower machines from birth', async () => {
    const figures = await slowFromBirth({ forMs: Math.max(30_000, 120_000 * scale), slowness: 4 })
    const sent = figures.sent.join(' / ')
    results.add({
      scenario: 'slower machines',
      subject: 'lb',
      n: figures.sent.reduce((sum, one) => sum + one),
      failed: 0,
      figures: { ...kept(figures.spells.length === 0), ejections: figures.spells.length, sent },
    })
    expect(figures.spells).toEqual([])
    expect(Math.min(...figures.sent)).toBeGreaterThan(0)
  })

  it(
    `are left alone for ${NOISY_MS / 60_000} minutes of noise`,
    async () => {
      const quiet = ['--max-num-seqs', '16']
      const scene = await Scene.start({
        clients: 4,
        engines: Array.from({ length: 4 }, () => [...usualFlags, ...quiet, '--fault', 'busy:3%']),
      })
      const tally = await noisy(scene.lb.url, NOISY_MS)
      const { spells } = scene.watch
      const answers = [...(await scene.close()), ...tally.answers]
      const bad = broken(answers).filter(({ status }) => status !== 429)
      const nonsense = [...tally.nonsense.values()].reduce((sum, one) => sum + one, 0)
      results.add({
        scenario: 'noise',
        subject: 'lb',
        n: answers.length,
        failed: bad.length,
        figures: {
          ...kept(spells.length === 0),
          ejections: spells.length,
          minutes: NOISY_MS / 60_000,
          nonsense,
          left: tally.left,
          '429 told': broken(answers).length - bad.length,
        },
      })
      expect(spells).toEqual([])
      expect(bad).toEqual([])
      expect([...tally.nonsense.keys()].every((status) => status === 400 || status === 429)).toBe(true)
    },
    NOISY_MS + 240_000,
  )
})

describe('ejection', () => {
  // A node that hangs is taken out whatever share of its pool is: nothing that is sent there comes back. Where most turn slow at once, there may be none to
  // compare them with.
  it.each([
    ['storm-503', 2, 1],
    ['slow:4', 2, 0],
    ['stall', 3, 1],
  ])('takes at most half of a pool, but for nodes that hang: %s at three of four', async (fault, most, least) => {
    const figures = await threeOfFour({ fault, warmMs: 12_000, forMs: 20_000 })
    const ejections = { ...kept(figures.most <= most), 'most out': figures.most, ejections: figures.spells.length }
    results.add({
      scenario: `${fault}, 3 of 4`,
      subject: 'lb',
      n: figures.answers.length,
      failed: broken(figures.answers).length,
      figures: ejections,
    })
    expect(figures.most).toBeLessThanOrEqual(most)
    expect(figures.most).toBeGreaterThanOrEqual(least)
    expect(broken(figures.answers)).toEqual([])
  })

  it('lasts longer each time for a node that fails again as soon as it is back', async () => {
    const tookMs = await flaps({ times: 3, withinMs: 120_000 })
    results.add({
      scenario: 'flapping',
      subject: 'lb',
      n: tookMs.length,
      failed: 0,
      figures: { ...kept((tookMs[2] ?? 0) > (tookMs[0] ?? 0) * 1.5), 'out for': tookMs.map(seconds).join(', ') },
    })
    expect(tookMs[2]).toBeGreaterThan((tookMs[0] ?? 0) * 1.5)
  })
})
