/** Numbers as people read them: a unit, and at most three digits. */

const KILO = ['', 'k', 'M', 'G', 'T'] as const

/** `0`, `42`, `1.4k`, `38k`, `2.1M`; below ten with one decimal when it is not whole. */
export function count(value: number): string {
  if (!Number.isFinite(value) || value <= 0) return '0'
  if (value < 0.05) return '<0.1'
  let [scaled, step] = [value, 0]
  while (scaled >= 999.5 && step < KILO.length - 1) [scaled, step] = [scaled / 1000, step + 1]
  return `${trim(scaled)}${KILO[step] ?? ''}`
}

/** `640 B`, `1.2 MB`, `38 GB`: powers of 1000, as disks and model pages count. */
export function bytes(value: number): string {
  return value < 1000 ? `${Math.max(0, Math.round(value))} B` : `${count(value).replace(/[kMGT]$/, (unit) => ` ${unit}`)}B`
}

/** `0.4 ms`, `182 ms`, `1.2 s`, `41 s`, `3.5 min`, `2.1 h`, `12 d`. */
export function duration(ms: number): string {
  const [value, unit] = inUnit(ms, ms)
  return `${trim(value)} ${unit}`
}

/** Two durations in the unit of the larger: `142 / 208 ms`, `0.4 / 1.2 s`. */
export function durationPair(first: number, second: number): string {
  const [larger, unit] = inUnit(second, second)
  const [smaller] = inUnit(first, second)
  return `${trim(smaller)} / ${trim(larger)} ${unit}`
}

/** `62 %` of a ratio 0..1. */
export function percent(ratio: number): string {
  return `${Math.round(Math.min(1, Math.max(0, ratio)) * 100)} %`
}

/** `22 GiB`, `3.1 GiB` of MiB. */
export function gibOf(mib: number): string {
  return `${trim(mib / 1024)} GiB`
}

/** Local wall-clock time, `14:02:31`. */
export function clockTime(epochMs: number): string {
  return hourAndMinute(epochMs) + `:${two(new Date(epochMs).getSeconds())}`
}

/** Local wall-clock time to the minute, so that an idle screen has no reason to be drawn again. */
export function hourAndMinute(epochMs: number): string {
  const date = new Date(epochMs)
  return `${two(date.getHours())}:${two(date.getMinutes())}`
}

function inUnit(ms: number, sizeMs: number): [value: number, unit: string] {
  if (sizeMs < 999.5) return [ms, 'ms']
  if (sizeMs < 99_500) return [ms / 1000, 's']
  if (sizeMs < 99.5 * 60_000) return [ms / 60_000, 'min']
  return sizeMs < 99.5 * 3_600_000 ? [ms / 3_600_000, 'h'] : [ms / 86_400_000, 'd']
}

function trim(value: number): string {
  const rounded = Math.round(value * 10) / 10
  return rounded < 10 && !Number.isInteger(rounded) ? rounded.toFixed(1) : String(Math.round(value))
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
