/** How a text differs from the right one, when it may have been cut and put together again: what is missing, what stands twice. */
export interface Difference {
  readonly isEqual: boolean
  /** Characters of the right text that are not there. */
  readonly lost: number
  /** Characters that stand there and should not. */
  readonly doubled: number
  /** The seam: where the two part. Undefined where one is the beginning of the other. */
  readonly partsAt: number | undefined
}

/** What follows a seam must agree for this long. */
const AGREEMENT = 8

export function compare(right: string, text: string): Difference {
  if (right === text) return { isEqual: true, lost: 0, doubled: 0, partsAt: undefined }
  const at = commonBeginning(right, text)
  if (at === text.length) return { isEqual: false, lost: right.length - at, doubled: 0, partsAt: undefined }
  if (at === right.length) return { isEqual: false, lost: 0, doubled: text.length - at, partsAt: undefined }
  const shift = shiftAt(right, text, at)
  if (shift === undefined) return { isEqual: false, lost: right.length - at, doubled: text.length - at, partsAt: at }
  const rest = compare(right.slice(at + Math.max(0, shift)), text.slice(at + Math.max(0, -shift)))
  return { isEqual: false, lost: rest.lost + Math.max(0, shift), doubled: rest.doubled + Math.max(0, -shift), partsAt: at }
}

function commonBeginning(one: string, other: string): number {
  const most = Math.min(one.length, other.length)
  let at = 0
  while (at < most && one[at] === other[at]) at += 1
  return at
}

/** Positive: so many characters are missing; negative: so many stand twice. The smallest that makes what follows agree. */
function shiftAt(right: string, text: string, at: number): number | undefined {
  const longest = Math.max(right.length, text.length) - at
  for (let size = 1; size <= longest; size += 1) {
    if (agrees(right, at + size, text, at)) return size
    if (agrees(right, at, text, at + size)) return -size
  }
  return undefined
}

function agrees(right: string, rightAt: number, text: string, textAt: number): boolean {
  const length = Math.min(AGREEMENT, right.length - rightAt, text.length - textAt)
  return length > 0 && right.slice(rightAt, rightAt + length) === text.slice(textAt, textAt + length)
}
