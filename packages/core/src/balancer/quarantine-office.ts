import type { Clock } from '../base/index.js'
import type { Logger, NodeOutcome } from '../contracts/index.js'
import type { Fleet, Node } from '../nodes/index.js'
import { QuarantineOffice, type OfficeWord, type Sentence } from '../proxy/index.js'
import { nothingListens } from '../wire/index.js'

interface OfficeParts {
  readonly clock: Clock
  readonly log: Logger
  readonly fleet: Fleet
  /** To the data path of one thread, 0 being the main one, or to all of them. */
  readonly tell: (word: OfficeWord, thread?: number) => void
  /** Threads with a data path that serves. */
  readonly desks: () => readonly number[]
  readonly onSentence: (sentence: Sentence) => void
}

/** The office of the quarantine, which hears from the fleet how processes end. Of servers that lb did not launch it hears that nothing answers any more. */
export function openOffice({ clock, log, fleet, tell, desks, onSentence }: OfficeParts): QuarantineOffice {
  const office = new QuarantineOffice({
    clock,
    log,
    tell: (desk, word) => tell(word, desk),
    tellAll: (word) => tell(word),
    desks,
    isOurs: (id) => fleet.nodes().some((node) => node.id === id && isChild(node)),
    inFlightAt: (id, life) => fleet.inFlightAt(id, life),
    onSentence,
  })
  fleet.events.on('life-ended', ({ connectionKey, node, how }) => office.ended(connectionKey, node, how))
  fleet.events.on('changed', ({ node, to }) => {
    if ((to !== 'suspect' && to !== 'failed') || isLaunched(node)) return
    if (node.standing.ejection !== undefined) void lookWhetherGone(office, node)
    else if (office.isOpen(node.connectionKey)) office.ended(node.connectionKey, node.id, 'unknown')
  })
  return office
}

/** One that was taken out for what it answered may live, or have ended before its probes tell: nobody connects there any more who would find out. */
async function lookWhetherGone(office: QuarantineOffice, { connectionKey, id, endpoint }: Node): Promise<void> {
  if (endpoint === undefined || !(await nothingListens(endpoint.target))) return
  if (office.isOpen(connectionKey)) office.ended(connectionKey, id, 'unknown')
}

/** A server that took connections a moment ago and takes none has ended. */
export function hearOfEnds(office: QuarantineOffice, fleet: Fleet, outcomes: readonly NodeOutcome[]): void {
  for (const { kind, node: id, connectionKey } of outcomes) {
    if (kind !== 'connect-failed' || !office.isOpen(connectionKey)) continue
    const node = fleet.nodes().find((each) => each.connectionKey === connectionKey)
    if (node !== undefined && !isLaunched(node)) office.ended(connectionKey, id, 'unknown')
  }
}

function isLaunched({ plan }: Node): boolean {
  return plan.group.launch !== undefined
}

/** The end of our own children is heard of at once, with how it came. */
function isChild(node: Node): boolean {
  return isLaunched(node) && node.endpoint?.adopted !== true
}
