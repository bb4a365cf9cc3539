/** Plays one case against one port, and says what came of it. */
import { judgeAnswers, judgeOrigin, requestsIn } from './judge.js'
import { statusOf, talk, type Step, type Talk } from './raw-client.js'
import type { OriginConnection, RawOrigin } from './raw-origin.js'
import type { Expect, RequestCase } from './request-case.js'

export interface Outcome {
  readonly got: Expect
  readonly violations: readonly string[]
  readonly talk: Talk
}

/** Longest wait for anything that is not a deadline's business. */
const SOON_MS = 1_500

export const sentIn = (steps: readonly Step[]): Buffer => Buffer.concat(steps.filter((step) => Buffer.isBuffer(step)))

export interface RunOptions {
  readonly port: number
  readonly expect: readonly Expect[]
  /** The host's own server may refuse without a body. */
  readonly bare: boolean
  readonly longestMs?: number
}

export async function runCase(
  origin: RawOrigin,
  one: RequestCase,
  { port, expect, bare, longestMs = SOON_MS }: RunOptions,
): Promise<Outcome> {
  const sent = sentIn(one.steps)
  const toClose = !expect.includes('served') && !expect.includes('declined')
  const answers = one.statuses?.length ?? Math.max(1, one.bodies.length)
  const said = await talk(port, one.steps, { answers, toClose, longestMs })
  // What the client did not wait for may still be on its way.
  if (said.closed && one.bodies.length > 0) await new Promise((resolve) => setTimeout(resolve, 30))
  const connections = origin.take()
  const got = outcomeOf(said, connections)
  return {
    got,
    violations: [
      ...judgeOrigin(connections, origin.authority, requestsIn(sent), true),
      ...judgeAnswers(said, sent, { bare }),
      ...exact(one, { got, bare }, said, connections),
    ],
    talk: said,
  }
}

export function outcomeOf(said: Talk, connections: readonly OriginConnection[]): Expect {
  if (connections.some(({ requests }) => requests.some(({ startLine }) => startLine.startsWith('POST')))) return 'served'
  if (said.closed) return 'refused'
  return said.responses.length === 0 ? 'waits' : 'declined'
}

/** What the case says beyond the general rules. */
function exact(
  one: RequestCase,
  { got, bare }: { readonly got: Expect; readonly bare: boolean },
  said: Talk,
  connections: readonly OriginConnection[],
): string[] {
  const bodies = connections
    .flatMap(({ requests }) => requests)
    .filter(({ startLine }) => startLine.startsWith('POST'))
    .sort((a, b) => a.order - b.order)
  const wrong =
    got === 'served' && (bodies.length !== one.bodies.length || bodies.some(({ body }, at) => one.bodies[at]?.equals(body) !== true))
  const statuses = said.responses.map(statusOf)
  const judged = one.statuses !== undefined && !(bare && one.listenOnly) && !(got === 'refused' && statuses.length === 0)
  return [
    ...(wrong ? [`the origin got ${bodies.length} bodies, not the ${one.bodies.length} that were asked`] : []),
    ...(judged && statuses.join() !== one.statuses?.join()
      ? [`answered ${statuses.join() || 'nothing'}, not ${one.statuses?.join() ?? ''}`]
      : []),
  ]
}
