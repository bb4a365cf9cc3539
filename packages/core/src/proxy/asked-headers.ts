import type { HeaderView } from '../contracts/index.js'
import { LbError } from '../errors/index.js'

/** Labels that a node must have: names and values. */
export type Labels = readonly (readonly [name: string, value: string])[]

const MOST_SLO_MS = 3_600_000
const LABEL = /^[A-Za-z0-9_.-]{1,63}$/
const MOST_LABELS = 16

/** The client's objective for the first token, from `x-lb-slo-ttft-ms`. Throws LB_BAD_HEADER (400): who asks for a promise must not believe that it was heard when it was not. */
export function sloTtftMsOf(headers: HeaderView): number | undefined {
  const text = headers['x-lb-slo-ttft-ms']
  if (text === undefined) return undefined
  const value = /^[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text) : Number.NaN
  if (value > 0 && value <= MOST_SLO_MS) return value
  throw badHeader('x-lb-slo-ttft-ms', text, `a number of milliseconds over 0, at most ${MOST_SLO_MS}, such as 500`)
}

/** Labels that the pool requires, and those of `x-lb-labels: gpu=h100, team=a`. Undefined: none. Throws LB_BAD_HEADER (400). */
export function requiredLabels(headers: HeaderView, ofPool: Labels | undefined): Labels | undefined {
  const text = headers['x-lb-labels']
  if (text === undefined) return ofPool
  const asked = text.split(',').map((pair): [string, string] => {
    const at = pair.indexOf('=')
    const [name, value] = [pair.slice(0, at).trim(), pair.slice(at + 1).trim()]
    if (at < 1 || !LABEL.test(name) || value === '') throw badHeader('x-lb-labels', text, 'names and values such as gpu=h100, team=a')
    return [name, value]
  })
  if (asked.length > MOST_LABELS) throw badHeader('x-lb-labels', text, `at most ${MOST_LABELS} labels`)
  return ofPool === undefined ? asked : [...ofPool, ...asked]
}

function badHeader(name: string, text: string, expected: string): LbError {
  return new LbError(`the header ${name} is ${JSON.stringify(text.slice(0, 100))}; expected ${expected}`, {
    code: 'LB_BAD_HEADER',
    source: 'client',
    httpStatus: 400,
    hint: `send it as described, or leave ${name} out`,
  })
}
