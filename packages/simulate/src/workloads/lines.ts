const LINE_FEED = 10
const CARRIAGE_RETURN = 13

export interface Line {
  /** From 1 on. */
  readonly number: number
  readonly text: string
  /** The file ends here without a line break: perhaps it was cut while it was written. */
  readonly unfinished: boolean
}

/** Lines that are not empty. A file may be larger than the largest string. */
export function* linesOf(bytes: Buffer): Generator<Line> {
  let number = 0
  const begin = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0
  for (let from = begin; from < bytes.length;) {
    const feed = bytes.indexOf(LINE_FEED, from)
    const to = feed < 0 ? bytes.length : feed
    number++
    const text = bytes.toString('utf8', from, bytes[to - 1] === CARRIAGE_RETURN ? to - 1 : to)
    if (text.trim() !== '') yield { number, text, unfinished: feed < 0 }
    from = to + 1
  }
}
