import { parseDuration } from '@plimsoll/core'
import type { Fault } from '@plimsoll/simulate'
import { wrongInput } from '../wrong-input.js'

const HINT = 'faults are crash@60s:n2, crash@60s:n2:10s (back after 10 s), slow@60s:n2:4x and recover@90s:n2; the first node is n0'

/** `crash@60s:n2` and so on, for a fleet of so many nodes. Throws LB_WRONG_INPUT. */
export function parseFaults(texts: readonly string[], nodes: number): Fault[] {
  return texts.flatMap((text) => text.split(',')).map((text) => parseFault(text.trim(), nodes))
}

function parseFault(text: string, nodes: number): Fault {
  const [, kind, time = '', number, value] = /^(crash|slow|recover)@([^:]+):n(\d{1,6})(?::(.+))?$/.exec(text) ?? []
  if (kind === undefined) throw wrongInput(`--fault ${text} is no fault`, HINT)
  const node = Number(number)
  if (node >= nodes) throw wrongInput(`--fault ${text}: there are the nodes n0 to n${nodes - 1}`, HINT)
  const atMs = duration(time, text)
  if (kind === 'crash') return { kind, atMs, node, ...(value === undefined ? {} : { backAfterMs: duration(value, text) }) }
  if (kind === 'recover' && value === undefined) return { kind, atMs, node }
  const slowness = Number(value?.replace(/x$/, ''))
  if (kind === 'recover' || !(slowness > 0 && slowness < Infinity)) throw wrongInput(`--fault ${text} is no fault`, HINT)
  return { kind: 'slow', atMs, node, slowness }
}

function duration(text: string, fault: string): number {
  const ms = parseDuration(text)
  if (ms !== undefined) return ms
  throw wrongInput(`--fault ${fault}: ${text} is no duration`, HINT)
}
