/** `0.12` to `12 %`, with as many digits as say something. */
export function asPercent(share: number): string {
  return `${Number((share * 100).toPrecision(2))} %`
}

/** `+1.2 %`. */
export function asDifference(share: number): string {
  return `${share < 0 ? '' : '+'}${asPercent(share)}`
}

export function asCount(count: number): string {
  return count.toLocaleString('en-US')
}

/** `x1.42`. */
export function asRatio(ratio: number): string {
  return `x${Number(ratio.toPrecision(3))}`
}

export function inUnit(value: number, unit: 'ms' | 'tokens'): string {
  return `${asCount(Number(value.toPrecision(3)))} ${unit}`
}
