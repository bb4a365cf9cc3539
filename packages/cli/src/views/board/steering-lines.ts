import type { PoolStatus, ResidencyStatus, ScaleStatus } from '@plimsoll/core'
import { clockTime, count } from '../units.js'
import type { BoardView } from './board-row.js'
import { cutLine, span, type Line } from './spans.js'

/** Under a pool's nodes: how many there are and why, and whether they are in memory. */
export function steeringLines(pool: PoolStatus, { width, glyphs }: BoardView): Line[] {
  const { scale = [], residency } = pool
  const undeclared = undeclaredText(pool)
  const revisions: Line[] = undeclared === undefined ? [] : [[span(`   ${undeclared}`, 'dim')]]
  const lines = [
    ...revisions,
    ...scale.flatMap((each) => [scaleLine(each), ...problemLines(each)]),
    ...(residency === undefined ? [] : [residencyLine(residency)]),
  ]
  return lines.map((line) => cutLine(line, width, glyphs.more))
}

/** What was promoted runs on until it is declared otherwise: whoever reads the file must be told. Undefined: it runs as declared, or a rollout tells. */
export function undeclaredText({ name, nodes, rollout }: PoolStatus): string | undefined {
  const revisions = new Set(nodes.flatMap(({ revision }) => revision ?? []))
  if (revisions.size === 0 || rollout?.endedAtMs === null) return undefined
  return `runs ${[...revisions].join(' and ')}, which the topology file does not declare   lb rollout history ${name}`
}

/** What goes wrong meanwhile: a trigger that does not answer, machines that cannot be returned. */
function problemLines({ problems = [] }: ScaleStatus): Line[] {
  return problems.map((problem) => [span(`      ${problem}`, 'warn')])
}

/** `   gpu  3 of 1-4 nodes: queue of 2.1 s over 1.0 s`. */
export function scaleLine({ group, replicas, wanted, min, max, follows, reason }: ScaleStatus): Line {
  const range = min === max ? '' : ` of ${min}-${max}`
  const nodes = replicas === 1 && range === '' ? 'node' : 'nodes'
  const changing = replicas === wanted ? '' : `, ${wanted} wanted`
  return [
    span(`   ${group}  `, 'dim'),
    span(`${replicas}${range} ${nodes}${changing}`, replicas === wanted ? 'plain' : 'accent'),
    span(reason === '' ? '' : `: ${reason}`),
    span(follows === null ? '' : `   follows ${follows}`, 'dim'),
  ]
}

const STATES: Readonly<Record<ResidencyStatus['state'], string>> = {
  awake: 'awake',
  waking: 'waking',
  'making-room': 'making room',
  'going-to-rest': 'going to rest',
  resting: 'resting',
}

/** `   resting since 14:02:31, 2 wait   goes to rest: idle for 10 min`. A reason that says no more than the state is left out. */
export function residencyLine({ state, sinceMs, waiting, wakes, reason }: ResidencyStatus): Line {
  const waits = waiting === 0 ? '' : `, ${count(waiting)} ${waiting === 1 ? 'waits' : 'wait'}`
  const woken = wakes === 0 ? '' : `   woken ${wakes === 1 ? 'once' : `${count(wakes)} times`}`
  return [
    span(`   ${STATES[state] ?? state} since ${clockTime(sinceMs)}${waits}`, waiting > 0 ? 'warn' : state === 'awake' ? 'plain' : 'accent'),
    span(reasonText(reason)),
    span(woken, 'dim'),
  ]
}

/** Without what the state says already: `is awake after 2.1 s` stands behind `awake`. */
function reasonText(reason: string | null): string {
  if (reason === null || reason === 'rests' || reason === 'is awake') return ''
  const [, more] = /^(?:is awake|goes to rest:) (.+)$/.exec(reason) ?? []
  return more === undefined ? `   ${reason}` : `, ${more}`
}
