/** The known word that `wrong` was probably meant to be: at most a third of its letters off, swaps count once. */
export function nearestWord(wrong: string, known: Iterable<string>): string | undefined {
  if (wrong.length > 100) return undefined
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(wrong.length / 3)) + 1
  for (const word of known) {
    const distance = editDistance(wrong.toLowerCase(), word.toLowerCase())
    if (distance < bestDistance) [best, bestDistance] = [word, distance]
  }
  return best
}

/** What to do about a name that is not there: which one was probably meant, and all that there are. */
export function knownNames(wrong: string, known: readonly string[]): string {
  const near = nearestWord(wrong, known)
  return `${near === undefined ? '' : `did you mean ${near}?   `}known: ${known.join(', ')}`
}

/** Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, at(beforeLast, j - 2) + 1)
      row.push(cost)
    }
    ;[beforeLast, last] = [last, row]
  }
  return at(last, b.length)
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity
}
