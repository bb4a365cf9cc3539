/** Words of each text that are compared. */
const MOST_WORDS = 4_096

/** How alike two texts are, 0..1: of the groups of three words that either has, the share that both have (Dice). Two empty texts are alike. */
export function likeness(one: string, other: string): number {
  if (one === other) return 1
  const [mine, theirs] = [groupsOf(one), groupsOf(other)]
  const all = sizeOf(mine) + sizeOf(theirs)
  let shared = 0
  for (const [group, count] of mine) shared += Math.min(count, theirs.get(group) ?? 0)
  return all === 0 ? 0 : (2 * shared) / all
}

/** Of fewer than three words, all of them. */
function groupsOf(text: string): ReadonlyMap<string, number> {
  const words = text
    .toLowerCase()
    .split(/\s+/, MOST_WORDS)
    .filter((word) => word !== '')
  const groups = new Map<string, number>()
  const last = Math.max(0, words.length - 3)
  for (let at = 0; at <= last && words.length > 0; at += 1) {
    const group = words.slice(at, at + 3).join(' ')
    groups.set(group, (groups.get(group) ?? 0) + 1)
  }
  return groups
}

function sizeOf(groups: ReadonlyMap<string, number>): number {
  let size = 0
  for (const count of groups.values()) size += count
  return size
}
