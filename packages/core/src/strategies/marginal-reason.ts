type Terms = Readonly<Record<string, number>>

const reasons: Readonly<Record<string, string>> = {
  wait: 'the least prefill waits there',
  prefill: 'its cache spares the most prefill',
  answer: 'its steps are the shortest',
  batch: 'it delays the others there the least',
  lost: 'its cache spares the most prefill',
  others: 'its answer slows the fewest others there',
  full: 'it has room in memory',
  silent: 'the other gives no sign of life',
}

/** Why the chosen row of terms beat the next best one: the term in which it won most. */
export function reasonAgainstNext(rows: readonly Terms[], chosen: number): string {
  const sums = rows.map(sumOf)
  let next = -1
  for (const [position, sum] of sums.entries()) if (position !== chosen && (next < 0 || sum < (sums[next] ?? 0))) next = position
  const [own, other] = [rows[chosen] ?? {}, rows[next]]
  if (other === undefined) return 'it is the only one'
  if (sums[next] === sums[chosen]) return 'by chance, among equals'
  const name = Object.keys({ ...own, ...other }).reduce((best, term) => (leadIn(term, own, other) > leadIn(best, own, other) ? term : best))
  return reasons[name] ?? 'all its terms together are the least'
}

function leadIn(term: string, own: Terms, other: Terms): number {
  return (other[term] ?? 0) - (own[term] ?? 0)
}

function sumOf(terms: Terms): number {
  return Object.values(terms).reduce((sum, term) => sum + term, 0)
}
