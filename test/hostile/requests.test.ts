/** Rows h and i of the promises, the clients' side: no byte of a request that has two meanings reaches an engine. */
import { writeFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { framingCorpus } from './corpus-framing.js'
import { headCorpus } from './corpus-heads.js'
import { semanticsCorpus } from './corpus-semantics.js'
import { doorNames, openDoors, type Doors } from './doors.js'
import { startLaxProxy } from './lax-proxy.js'
import { RawOrigin } from './raw-origin.js'
import { expectedAt, type RequestCase } from './request-case.js'
import { runCase } from './run-case.js'

const corpus: readonly RequestCase[] = [...framingCorpus, ...headCorpus, ...semanticsCorpus]
/** A deadline of 10 s for a head, and time to act on it. */
const HEAD_DEADLINE_MS = 13_000
const LANES = 8

let origin: RawOrigin
let doors: Doors

beforeAll(async () => {
  origin = await RawOrigin.start()
  doors = await openDoors(origin)
})

const table: string[] = []

afterAll(async () => {
  const path = process.env['LB_HOSTILE_TABLE']
  if (path !== undefined) writeFileSync(path, `${table.join('\n')}\n`)
  await doors.close()
  origin.close()
})

/** Names of the cases that the judge flags behind a lax proxy. */
async function laxly(cases: readonly RequestCase[]): Promise<string[]> {
  const behind = await RawOrigin.start()
  const flagged: string[] = []
  for (const one of cases) {
    const lax = await startLaxProxy(Number(new URL(behind.url).port))
    const outcome = await runCase(behind, one, { port: lax.port, expect: ['served'], bare: true, longestMs: 400 })
    if (outcome.violations.length > 0) flagged.push(one.name)
    lax.close()
    behind.cut()
  }
  behind.close()
  return flagged
}

const at = (one: RequestCase, door: (typeof doorNames)[number]) => ({
  port: doors.ports[door],
  expect: expectedAt(one, door),
  bare: door === 'handler',
})

describe.each(doorNames)('requests at the %s door', (door) => {
  const prompt = corpus.filter((one) => !expectedAt(one, door).includes('waits'))
  const slow = corpus.filter((one) => expectedAt(one, door).includes('waits'))

  for (const one of prompt) {
    it(`${one.name} (${one.rfc})`, async () => {
      const outcome = await runCase(origin, one, at(one, door))
      table.push([door, one.name, one.rfc, expectedAt(one, door).join(' or '), outcome.got, outcome.violations.join('; ')].join('\t'))
      expect({ violations: outcome.violations, got: outcome.got }, one.why).toEqual({
        violations: [],
        got: expect.toBeOneOf([...expectedAt(one, door)]),
      })
    })
  }

  it('ends in silence what is never a whole head, by the deadline of heads', async () => {
    const outcomes = await Promise.all(slow.map((one) => runCase(origin, one, { ...at(one, door), longestMs: HEAD_DEADLINE_MS })))
    expect(outcomes.map(({ got, violations }, index) => ({ name: slow[index]?.name, got, violations }))).toEqual(
      slow.map(({ name }) => ({ name, got: 'refused', violations: [] })),
    )
  }, 30_000)

  it('lives, and serves the next good request', async () => {
    expect(doors.ended()).toBeUndefined()
    const good = corpus.find(({ name }) => name === 'a plain POST')
    expect((await runCase(origin, good ?? corpus[0]!, at(good ?? corpus[0]!, door))).got).toBe('served')
  })
})

describe('the judge', () => {
  it('has unique cases to judge', () => {
    expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length)
    expect(corpus.length).toBeGreaterThan(250)
  })

  it('flags a lax proxy: the control', async () => {
    const cases = corpus.filter((one) => !one.expect.includes('waits'))
    const flagged = new Set(
      (await Promise.all(Array.from({ length: LANES }, (_, lane) => laxly(cases.filter((_one, index) => index % LANES === lane))))).flat(),
    )
    process.stdout.write(`\nlax control: ${flagged.size} of ${cases.length} cases flagged\n`)
    expect(flagged.size).toBeGreaterThan(100)
    for (const name of ['CL.TE smuggles a prefix', 'two different CL', 'TE "xchunked"', 'bare LF in a value'])
      expect(flagged).toContain(name)
    for (const name of ['a plain POST', 'an empty value', '20 POSTs in one write']) expect(flagged).not.toContain(name)
  }, 60_000)
})
