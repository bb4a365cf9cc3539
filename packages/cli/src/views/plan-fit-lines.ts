import { fitText, type MemoryFits, type TightNode } from '@plimsoll/core'
import { gibOf } from './units.js'

/** What an engine says would fit, one way per line, the least harmful first. */
export function fitLines(fits: MemoryFits | undefined): string[] {
  if (fits === undefined) return []
  return [...fits.ways.map((way) => `      ${fitText(way)}: ${way.why}`), ...(fits.problem === undefined ? [] : [`    ! ${fits.problem}`])]
}

/** A node that nobody placed, and that is expected to need more than there is. */
export function tightLines({ id, need, room, fits }: TightNode): string[] {
  const free = gibOf(room.freeMiB.reduce((sum, mib) => sum + mib, 0))
  const seen = room.kind === 'main' ? `${free} of main memory are free` : `the GPUs together have ${free} free`
  return [`! ${id} is expected to need ${gibOf(need.mib)} (${need.why}), and ${seen}`, ...fitLines(fits)]
}
