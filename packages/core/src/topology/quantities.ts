const durationUnits = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const sizeUnits = { B: 1, KB: 1000, MB: 1e6, GB: 1e9, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const

/** `250ms 30s 5m 1h` in milliseconds, rounded to whole ones; undefined where it is no duration. */
export function parseDuration(text: string): number | undefined {
  return parseQuantity(text, durationUnits)
}

/** `512KiB 10MiB 1GB` in bytes; undefined where it is no size. */
export function parseSize(text: string): number | undefined {
  return parseQuantity(text, sizeUnits)
}

/** The shortest exact form: 90000 is `90s`, 120000 is `2m`. */
export function formatDuration(ms: number): string {
  return formatQuantity(ms, ['h', 'm', 's', 'ms'], durationUnits)
}

/** The shortest exact binary form: 10485760 is `10MiB`. */
export function formatSize(bytes: number): string {
  return formatQuantity(bytes, ['GiB', 'MiB', 'KiB', 'B'], sizeUnits)
}

/** `20%` as 0.2; undefined where it is no share of at most 100 %. */
export function parsePercent(text: string): number | undefined {
  const amount = /^[0-9]{1,3}(?:\.[0-9]+)?%$/.test(text) ? Number(text.slice(0, -1)) / 100 : Number.NaN
  return amount <= 1 ? amount : undefined
}

/** 0.2 as `20%`. */
export function formatPercent(share: number): string {
  return `${Math.round(share * 1e8) / 1e6}%`
}

/** `+1%` and `1%` as 0.01: so much more than something else. Undefined where it is none, or over 100 %. */
export function parseIncrease(text: string): number | undefined {
  return parsePercent(text.startsWith('+') ? text.slice(1) : text)
}

/** 0.01 as `+1%`. */
export function formatIncrease(share: number): string {
  return `+${formatPercent(share)}`
}

/** `x1.5` as 1.5: so many times something else. Undefined where it is none. */
export function parseFactor(text: string): number | undefined {
  const factor = /^x[0-9]+(?:\.[0-9]+)?$/.test(text) ? Number(text.slice(1)) : Number.NaN
  return Number.isFinite(factor) ? factor : undefined
}

/** 1.5 as `x1.5`. */
export function formatFactor(factor: number): string {
  return `x${Math.round(factor * 1e6) / 1e6}`
}

function parseQuantity(text: string, units: Readonly<Record<string, number>>): number | undefined {
  const match = /^([0-9]+(?:\.[0-9]+)?)([A-Za-z]+)$/.exec(text)
  const factor = match?.[2] === undefined || !Object.hasOwn(units, match[2]) ? undefined : units[match[2]]
  const amount = factor === undefined ? Number.NaN : Math.round(Number(match?.[1]) * factor)
  return Number.isSafeInteger(amount) ? amount : undefined
}

function formatQuantity(amount: number, order: readonly string[], units: Readonly<Record<string, number>>): string {
  const unit = order.find((name) => amount !== 0 && amount % (units[name] ?? 1) === 0) ?? order.at(-1) ?? ''
  return `${amount / (units[unit] ?? 1)}${unit}`
}
