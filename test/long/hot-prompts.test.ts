/** What it costs to know which prompts are asked most: microseconds for each request. Nightly: `npm run test:long`. */
import { performance } from 'node:perf_hooks'
import { expect, it } from 'vitest'
import { HotPrompts } from '../../packages/core/src/proxy/hot-prompts/index.js'

type Answered = Parameters<HotPrompts['answered']>[0]

const TIMES = 400_000
const LIMIT_US = 1
const LOOK_LIMIT_US = 30
const clock = { nowMs: () => performance.now(), epochMs: () => Date.now(), after: () => ({ cancel: () => undefined }) }

let state = 7
/** The same numbers each time. */
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return state / 4_294_967_296
}

/** Prompts of 32 blocks: tenants have a beginning of 20, and each request ends with its own. */
function requests(tenants: number, bodyBytes: number): Answered[] {
  const body = new Uint8Array(bodyBytes)
  return Array.from({ length: 4_096 }, (_, index) => {
    const tenant = Math.floor(tenants * random() ** 2)
    const prefixHashes = Float64Array.from(
      { length: 32 },
      (_unused, at) => (at < 20 ? tenant * 64 + at : 1e9 + index * 64 + at) * 4_099 + 0.5,
    )
    const facts = { model: 'm', promptTokens: 2_400, prefixHashes }
    return {
      pool: { name: 'p' },
      face: 'openai-chat',
      scan: { body },
      facts,
      neededTokens: 3_000,
      requiredLabels: undefined,
    } as unknown as Answered
  })
}

/** Where few requests come, each is looked at: a clock that says so. */
function costOfLooks(all: readonly Answered[]): number {
  let nowMs = 0
  const hot = new HotPrompts({ clock: { ...clock, nowMs: () => (nowMs += 50) }, random: { next: random } })
  hot.use(new Set(['p']))
  const sinceMs = performance.now()
  for (let turn = 0; turn < TIMES / 10; turn += 1) hot.answered(all[turn % all.length] as Answered)
  return (10_000 * (performance.now() - sinceMs)) / TIMES
}

it.each([
  ['3 beginnings, 8 KiB bodies', 3, 8_192],
  ['200 beginnings, 8 KiB bodies', 200, 8_192],
  ['200 beginnings, 256 KiB bodies', 200, 262_144],
  ['no two alike, 8 KiB bodies', 1e9, 8_192],
])('costs a request less than a microsecond: %s', (what, tenants, bodyBytes) => {
  const hot = new HotPrompts({ clock, random: { next: random } })
  hot.use(new Set(['p']))
  const all = requests(tenants, bodyBytes)
  const round = (times: number): number => {
    const sinceMs = performance.now()
    for (let turn = 0; turn < times; turn += 1) hot.answered(all[turn % all.length] as Answered)
    return (1_000 * (performance.now() - sinceMs)) / times
  }
  round(TIMES / 4)
  const perRequestUs = Math.min(round(TIMES), round(TIMES), round(TIMES))
  const lookUs = costOfLooks(all)
  process.stdout.write(
    `${what.padEnd(34)} ${perRequestUs.toFixed(3)} us a request   limit ${LIMIT_US}; ${lookUs.toFixed(1)} us for one that is looked at\n`,
  )
  expect(perRequestUs).toBeLessThan(LIMIT_US)
  expect(lookUs).toBeLessThan(LOOK_LIMIT_US)
})
