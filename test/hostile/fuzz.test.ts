/**
 * Damaged requests and answers against both doors, with the judge on. `npm run fuzz` runs it for a minute; LB_FUZZ_SECONDS and LB_FUZZ_SEED choose. The
 * normal suite runs a few seconds with a fixed seed.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { answerCorpus } from './corpus-answers.js'
import { framingCorpus } from './corpus-framing.js'
import { headCorpus } from './corpus-heads.js'
import { semanticsCorpus } from './corpus-semantics.js'
import { streamCorpus } from './corpus-streams.js'
import { doorNames, openDoors, type DoorName, type Doors } from './doors.js'
import { endsInErrorEvent, isOpenAiError, judgeAnswers, judgeOrigin, requestsIn, show } from './judge.js'
import type { Message } from './message-reader.js'
import { below, mutate, oneOf, seeded, type Random } from './mutate.js'
import { parse, statusOf, talk } from './raw-client.js'
import { plain, RawOrigin, receipt } from './raw-origin.js'
import { HUSH, latin1, post } from './request-case.js'
import { sentIn } from './run-case.js'

const seconds = Number(process.env['LB_FUZZ_SECONDS'] ?? 5)
const seed = Number(process.env['LB_FUZZ_SEED'] ?? 20_261_121)
const LANES = 24
/** A pause in one callback longer than this is a stall; a busy machine adds its own. */
const STALL_MS = 50
const EMPTY_LINE = /(?:\r\n|\n|\r(?!\n))(?:\r\n|\n|\r)/
const ENDS_IN_EMPTY_LINE = new RegExp(`${EMPTY_LINE.source}$`)

let origin: RawOrigin
let doors: Doors

beforeAll(async () => {
  origin = await RawOrigin.start()
  doors = await openDoors(origin, '300ms')
})

afterAll(async () => {
  await doors.close()
  origin.close()
})

const requests = [...framingCorpus, ...headCorpus, ...semanticsCorpus]
  .map(({ steps }) => Buffer.from(sentIn(steps).toString('latin1').replaceAll(HUSH, 'x'), 'latin1'))
  .filter((bytes) => bytes.byteLength < 4_000)
const answers = [...answerCorpus, ...streamCorpus]
  .map(({ acts, stream }) => ({ stream, bytes: Buffer.concat(acts.filter((one) => Buffer.isBuffer(one))) }))
  .filter(({ bytes }) => bytes.byteLength > 0 && bytes.byteLength < 8_000)

/** Runs rounds of lanes until the time is up; returns how many cases there were. */
async function rounds(share: number, lane: (random: Random) => Promise<void>, judged: () => void): Promise<number> {
  const random = seeded(seed + share)
  const endsAt = performance.now() + (seconds * 1000) / 4
  let count = 0
  while (performance.now() < endsAt) {
    const ends = await Promise.allSettled(Array.from({ length: LANES }, () => lane(random)))
    for (const end of ends) if (end.status === 'rejected') throw end.reason
    count += LANES
    judged()
  }
  return count
}

/** Nothing of an earlier test is left on the way. */
async function fresh(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 100))
  origin.calm()
  origin.take()
  await doors.facts()
}

async function told(what: string, count: number): Promise<void> {
  const { stallMs } = await doors.facts()
  process.stdout.write(`\nfuzz, ${what}: ${count} cases, seed ${seed}, longest stall ${stallMs.toFixed(1)} ms\n`)
  expect(doors.ended()).toBeUndefined()
  expect(stallMs).toBeLessThan(STALL_MS)
}

describe.each(doorNames)('fuzz at the %s door', (door) => {
  it(
    'no damaged request reaches the origin with a second meaning',
    async () => {
      await fresh()
      const sent: Buffer[] = []
      // On a busy machine a request may arrive when its client has long given up.
      const asked: Message[] = []
      const lane = async (random: Random): Promise<void> => {
        const bytes = mutate(oneOf(random, requests), random, oneOf(random, requests))
        sent.push(bytes)
        asked.push(...requestsIn(bytes))
        const cut = below(random, bytes.byteLength + 1)
        const steps = random() < 0.3 ? [bytes.subarray(0, cut), { pauseMs: 1 }, bytes.subarray(cut)] : [bytes]
        const said = await talk(doors.ports[door], steps, { answers: 3, toClose: false, longestMs: 60 })
        const violations = judgeAnswers(said, bytes, { bare: door === 'handler' })
        if (violations.length > 0)
          throw new Error(`seed ${seed}: ${violations.join('; ')}\nsent: ${JSON.stringify(bytes.toString('latin1'))}`)
      }
      const judged = (): void => {
        const violations = judgeOrigin(origin.take(), origin.authority, asked, false)
        if (violations.length > 0) throw new Error(`seed ${seed}: ${violations.join('; ')}\nsent: ${suspects(violations, sent)}`)
        sent.splice(0, sent.length - 10 * LANES)
        asked.splice(0, asked.length - 10 * LANES)
      }
      await told(`requests at the ${door} door`, await rounds(doorNames.indexOf(door), lane, judged))
    },
    seconds * 1000 + 20_000,
  )

  it(
    'no damaged answer reaches a client as something else, nor another client at all',
    async () => {
      await fresh()
      let serial = 0
      const scripts = new Map<string, Buffer>()
      origin.script = (request, socket) => {
        const damaged = scripts.get(/"f(\d+)"/.exec(request.body.toString())?.[1] ?? '')
        if (damaged === undefined) socket.write(plain(receipt(request.body)))
        else socket.end(damaged)
      }
      const lane = async (random: Random): Promise<void> => {
        const { bytes, stream } = oneOf(random, answers)
        const damaged = mutate(bytes, random, oneOf(random, answers).bytes)
        const id = String((serial += 1))
        scripts.set(id, damaged)
        await oneAnswer(door, { id, damaged, stream })
        scripts.delete(id)
      }
      await told(`answers at the ${door} door`, await rounds(2 + doorNames.indexOf(door), lane, () => void origin.take()))
      origin.calm()
    },
    seconds * 1000 + 20_000,
  )
})

interface Damaged {
  readonly id: string
  readonly damaged: Buffer
  readonly stream: boolean
}

async function oneAnswer(door: DoorName, { id, damaged, stream }: Damaged): Promise<void> {
  const fail = (why: string): never => {
    throw new Error(`seed ${seed}: ${why}\nthe engine answered: ${JSON.stringify(damaged.toString('latin1'))}`)
  }
  const options = { answers: 1, toClose: false, longestMs: 4_000, quietMs: 1 }
  const body = `{"model":"m","user":"f${id}"${stream ? ',"stream":true,"stream_options":{"include_usage":true}' : ''}}`
  const said = await talk(doors.ports[door], [latin1(post(body))], options)
  const next = `{"model":"m","user":"good ${id}"}`
  const good = await talk(doors.ports[door], [latin1(post(next))], options)
  if (good.responses[0]?.body.toString() !== receipt(latin1(next))) fail(`the next client got ${show(good.bytes)}`)
  if (said.error !== undefined) fail(`the client got what is no HTTP: ${said.error}`)
  if (said.responses.length > 1 || (said.responses.length === 1 && said.rest.byteLength > 0))
    fail(`more than one answer: ${show(said.bytes)}`)
  const [seen] = said.responses
  const meant = parse(damaged, true)
  const whole = meant.responses[0]
  // What stands in trailers goes nowhere; they are read to their end and dropped.
  if (meant.error?.startsWith('trailer') === true) return
  if (seen === undefined) {
    if (!said.closed) fail('no end')
    return
  }
  if ([502, 504].includes(statusOf(seen)) && isOpenAiError(seen.body)) return
  if (stream && endsInErrorEvent(seen.body)) return
  // Behind its end mark a stream may break off; whoever reads it has all of it.
  if (stream && whole === undefined && meant.error === undefined && hasEndMark(seen.body)) return
  if (stream && whole !== undefined && statusOf(whole) === statusOf(seen) && lacksHalfAnEvent(seen.body, whole.body)) return
  if (whole === undefined)
    fail(`a clean end of a broken answer (${meant.error ?? 'cut'}): ${JSON.stringify(said.bytes.toString('latin1'))}`)
  else if (!whole.body.equals(seen.body) || statusOf(whole) !== statusOf(seen))
    fail(`not what the engine said: ${JSON.stringify(said.bytes.toString('latin1'))}`)
}

/** Half an event behind the end mark goes nowhere: its reader would drop it too (HTML 9.2.6). Nothing else may be missing. */
function lacksHalfAnEvent(seen: Buffer, whole: Buffer): boolean {
  const missing = whole.subarray(seen.byteLength).toString('latin1')
  const isStart = whole.subarray(0, seen.byteLength).equals(seen)
  return isStart && hasEndMark(seen) && ENDS_IN_EMPTY_LINE.test(seen.toString('latin1')) && !EMPTY_LINE.test(missing)
}

function hasEndMark(body: Buffer): boolean {
  return /^data: ?\[DONE\]/m.test(body.toString('latin1'))
}

/** Of all that was sent, what holds a name that the violations quote; everything where nothing does. */
function suspects(violations: readonly string[], sent: readonly Buffer[]): string {
  const names = [...violations.join().matchAll(/user\W+([\w -]{4,})/g)].map((match) => match[1] ?? '')
  const found = sent.filter((one) => names.some((name) => one.includes(name)))
  return (found.length === 0 ? sent : found).map((one) => JSON.stringify(one.toString('latin1'))).join('\n')
}
