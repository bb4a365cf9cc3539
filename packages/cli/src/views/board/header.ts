import type { BalancerStatus } from '@plimsoll/core'
import { clockTime, count, duration, hourAndMinute } from '../units.js'
import { toneOf, type Glyphs } from './glyphs.js'
import { cutLine, justify, span, type Line } from './spans.js'

export interface HeaderFacts {
  readonly status: BalancerStatus
  /** Set while the balancer does not answer. */
  readonly lostSinceMs?: number
  readonly nowMs: number
}

/** Name, state, address, and what flows through; two lines where one is too narrow. */
export function headerLines({ status, lostSinceMs, nowMs }: HeaderFacts, width: number, glyphs: Glyphs): Line[] {
  const state =
    lostSinceMs === undefined
      ? span(`${glyphs.states[status.state]} ${status.state}`, toneOf(status.state))
      : span(`${glyphs.lost} does not answer, since ${clockTime(lostSinceMs)}`, 'bad')
  const left: Line = [span(` ${status.name}`, 'bold'), span('  '), state]
  const address = span(`  ${addressOf(status)}`, 'accent')
  // What flowed before it fell silent is not what flows now.
  const flows = lostSinceMs === undefined ? flowLines(status, nowMs) : [[span(`${hourAndMinute(nowMs)} `, 'dim')]]
  for (const flow of flows) {
    const line = justify([...left, address], flow, width)
    if (line !== undefined) return [line]
  }
  const second = flows.map((flow) => justify([], flow, width)).find((line) => line !== undefined) ?? []
  const first = justify(left, [address], width)
  return first === undefined
    ? [cutLine(left, width, glyphs.more), cutLine([span(' '), span(addressOf(status), 'accent')], width, glyphs.more)]
    : [first, second]
}

function addressOf(status: BalancerStatus): string {
  const [first = 'no listener', ...others] = status.gateway.listen
  return others.length === 0 ? first : `${first} +${others.length}`
}

/** From everything to the one number that matters most. */
function flowLines({ gateway }: BalancerStatus, nowMs: number): Line[] {
  const requests = span(`${count(gateway.requestsPerSecond)} req/s`)
  const tokens = span(`   ${count(gateway.tokensPerSecond)} tok/s`)
  const latency = span(`   p95 TTFT ${gateway.ttftMs === null ? '-' : duration(gateway.ttftMs.p95)}`)
  const clock = span(`   ${hourAndMinute(nowMs)} `, 'dim')
  return [
    [requests, tokens, latency, clock],
    [requests, tokens, latency, span(' ')],
    [requests, latency, span(' ')],
  ]
}
