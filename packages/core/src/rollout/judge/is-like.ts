/** Longest list that is believed. */
const most = 5_000

/** Whether data from the disk has the shape of data of ours: the same keys, finite numbers, lists of as many numbers where ours is not empty. */
export function isLike(found: unknown, ours: unknown): boolean {
  if (typeof ours === 'number') return typeof found === 'number' && Number.isFinite(found)
  if (Array.isArray(ours)) {
    if (!Array.isArray(found) || found.length > most || (ours.length > 0 && found.length !== ours.length)) return false
    return found.every((value) => isLike(value, 0))
  }
  if (typeof ours !== 'object' || ours === null) return found === ours
  if (typeof found !== 'object' || found === null || Array.isArray(found)) return false
  const keys = Object.keys(ours)
  const parts = found as Readonly<Record<string, unknown>>
  return (
    Object.keys(found).length === keys.length &&
    keys.every((key) => Object.hasOwn(found, key) && isLike(parts[key], (ours as Record<string, unknown>)[key]))
  )
}
