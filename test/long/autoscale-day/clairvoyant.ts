import { simulate, type SimulatedNode } from '@plimsoll/simulate'
import { workloadOf, type Day } from './day.js'

const MINUTE_MS = 60_000
/** The end of the minute is sent before it too, so that nodes are as busy at its begin as they are in it. */
const LEAD_MS = 15_000

export interface Fleet {
  readonly node: SimulatedNode
  readonly strategy: string
  readonly objectiveMs: number
  readonly startMs: number
  readonly most: number
}

/**
 * Somebody who knows the day: for each minute the least nodes that keep its 95th percentile of TTFT within the objective, found by simulating that minute with
 * one node less until it no longer does. One minute in `every` is tried, and those up to the next are taken to want the same.
 */
export function leastNodes(day: Day, minutes: number, fleet: Fleet, every: number): readonly number[] {
  const least: number[] = []
  let nodes = 1
  for (let minute = 0; minute < minutes; minute += every) {
    const does = (count: number): boolean => ttftP95(day, minute, { ...fleet, most: count }) <= fleet.objectiveMs
    if (does(nodes)) while (nodes > 1 && does(nodes - 1)) nodes--
    else
      do nodes++
      while (nodes < fleet.most && !does(nodes))
    for (let same = 0; same < every && minute + same < minutes; same++) least.push(nodes)
  }
  return least
}

/** Nodes cost from the moment in which they are begun, which is a start before they are needed. */
export function nodeSecondsOf(least: readonly number[], startMs: number): number {
  const ahead = Math.ceil(startMs / MINUTE_MS)
  return least.reduce((sum, _, minute) => sum + 60 * Math.max(...least.slice(minute, minute + 1 + ahead)), 0)
}

function ttftP95(day: Day, minute: number, { node, strategy, most }: Fleet): number {
  const fromMs = minute * MINUTE_MS
  const ttft: number[] = []
  simulate({
    nodes: Array.from({ length: most }, () => node),
    workload: workloadOf(day, fromMs, fromMs + MINUTE_MS, LEAD_MS),
    strategy: { name: strategy },
    pollMs: 1_000,
    onAnswered: ({ sentMs, firstTokenMs }) => {
      if (sentMs >= LEAD_MS) ttft.push(firstTokenMs - sentMs)
    },
  })
  ttft.sort((one, other) => one - other)
  return ttft[Math.ceil(0.95 * ttft.length) - 1] ?? 0
}
