import type { Clock } from '../base/index.js'
import type { Logger, NodeOutcome } from '../contracts/index.js'
import type { Fleet, Node } from '../nodes/index.js'
import { QuarantineOffice, type OfficeWord, type Sentence } from '../proxy/index.js'

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
    onSentence,
  })
  fleet.events.on('life-ended', ({ connectionKey, node, how }) => office.ended(connectionKey, node, how))
  fleet.events.on('changed', ({ node, to }) => {
    if (seemsGone(node, to) && !isLaunched(node) && office.isOpen(node.connectionKey)) office.ended(node.connectionKey, node.id, 'unknown')
  })
  return office
}

/** Its probes found nothing there. One that was only taken out for what it answered still lives. */
function seemsGone({ standing }: Node, state: Node['state']): boolean {
  return state === 'failed' || (state === 'suspect' && standing.ejection === undefined)
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
