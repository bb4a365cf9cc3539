/** The command that was probably meant, or undefined when none is near. */
export function nearestCommand(typed: string, known: readonly string[]): string | undefined {
  const ranked = known.map((id) => ({ id, steps: distance(typed, id) })).sort((a, b) => a.steps - b.steps)
  const [first] = ranked
  return first !== undefined && first.steps <= Math.max(1, Math.floor(typed.length / 3)) ? first.id : undefined
}

/** Insertions, deletions, changes and swaps of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) =>
    Array.from({ length: b.length + 1 }, (_, j) => (i === 0 ? j : j === 0 ? i : 0)),
  )
  const at = (i: number, j: number): number => rows[i]?.[j] ?? Number.POSITIVE_INFINITY
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const change = at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1)
      const swap = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY
      const row = rows[i]
      if (row !== undefined) row[j] = Math.min(at(i - 1, j) + 1, at(i, j - 1) + 1, change, swap)
    }
  }
  return at(a.length, b.length)
}
