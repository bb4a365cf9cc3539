/** Loads that differ by less are one. */
const STEP = 1.05
/** What was learned so long ago counts for a third. */
const FADES_MS = 6 * 3_600_000
const DECAY_EVERY_MS = 60_000
const READ_EVERY_MS = 5_000

interface Bin {
  weight: number
  /** Sums, by weight. */
  pressure: number
  level: number
  /** The highest. */
  top: number
}

/** One bin as it is written down: key, weight, and its sums. */
export type KeptBin = readonly [key: number, weight: number, pressure: number, level: number, top: number]

/** Far more steps than loads differ by. */
const MOST_KEPT = 300
const LARGEST = 1e15

export interface Bearable {
  /** Load of one node that keeps to the target. */
  readonly level: number
  /** True where more was seen not to keep to it; false: nobody has tried. */
  readonly isLimit: boolean
}

/**
 * What one node bears, learned from what became of the target at each load: pressure 1 is exactly the target. More load never means less pressure, so what
 * chance has turned round is put together.
 */
export class CapacityBook {
  private readonly bins = new Map<number, Bin>()
  private decayedAtMs: number | undefined
  private known: Bearable | undefined
  private readAtMs = -Infinity

  constructor(
    /** Less weight than this says nothing. */
    private readonly enough: number,
    /** Pressure that is borne on the whole; the rest of the target is left to what cannot be foreseen. */
    private readonly allowed: number,
  ) {}

  learn(level: number, pressure: number, weight: number): void {
    if (!(level > 0) || !(weight > 0) || !Number.isFinite(level) || !Number.isFinite(pressure)) return
    const key = Math.round(Math.log(level) / Math.log(STEP))
    let bin = this.bins.get(key)
    if (bin === undefined) this.bins.set(key, (bin = { weight: 0, pressure: 0, level: 0, top: 0 }))
    bin.weight += weight
    bin.pressure += weight * pressure
    bin.level += weight * level
    bin.top = Math.max(bin.top, level)
  }

  /** Lets what is old fade, and makes up its mind anew. */
  look(nowMs: number): void {
    this.fade(nowMs)
    if (nowMs - this.readAtMs < READ_EVERY_MS) return
    this.readAtMs = nowMs
    this.known = this.read()
  }

  private fade(nowMs: number): void {
    this.decayedAtMs ??= nowMs
    const forMs = nowMs - this.decayedAtMs
    if (forMs < DECAY_EVERY_MS) return
    this.decayedAtMs = nowMs
    const keep = Math.exp(-forMs / FADES_MS)
    for (const [key, bin] of this.bins) {
      bin.weight *= keep
      bin.pressure *= keep
      bin.level *= keep
      if (bin.weight < this.enough / 1_000) this.bins.delete(key)
    }
  }

  /** What the next balancer should know, the weightiest where that is much. */
  kept(): KeptBin[] {
    const ordered = [...this.bins].sort(([, one], [, other]) => other.weight - one.weight).slice(0, MOST_KEPT)
    return ordered.map(([key, { weight, pressure, level, top }]) => [key, brief(weight), brief(pressure), brief(level), brief(top)])
  }

  /** What an earlier one knew, so long ago. Nonsense is left out. */
  recall(bins: readonly unknown[], ageMs: number): void {
    const keep = Math.exp(-Math.max(0, ageMs) / FADES_MS)
    for (const each of bins.slice(0, MOST_KEPT)) {
      if (!isKeptBin(each)) continue
      const [key, weight, pressure, level, top] = each
      this.bins.set(key, { weight: weight * keep, pressure: pressure * keep, level: level * keep, top })
    }
    this.known = this.read()
  }

  /** Undefined: too little was seen. */
  get bearable(): Bearable | undefined {
    return this.known
  }

  private read(): Bearable | undefined {
    const points = rising(this.gathered()).map(({ weight, pressure, level, top }) => ({
      level: level / weight,
      top,
      pressure: pressure / weight,
    }))
    const over = points.findIndex(({ pressure }) => pressure > this.allowed)
    const good = points[over < 0 ? points.length - 1 : over - 1]
    const bad = points[over]
    if (bad === undefined) return good === undefined ? undefined : { level: good.top, isLimit: false }
    if (good === undefined) return { level: (bad.level * this.allowed) / Math.min(bad.pressure, 1.5 * this.allowed), isLimit: true }
    const share = (this.allowed - good.pressure) / (bad.pressure - good.pressure)
    const from = Math.min(good.top, bad.level)
    return { level: from + share * (bad.level - from), isLimit: true }
  }

  /** By rising load, neighbours put together until each says something. */
  private gathered(): Bin[] {
    const ordered = [...this.bins].sort(([one], [other]) => one - other)
    const gathered: Bin[] = []
    let open: Bin | undefined
    for (const [, bin] of ordered) {
      open = open === undefined ? { ...bin } : merged(open, bin)
      if (open.weight < this.enough) continue
      gathered.push(open)
      open = undefined
    }
    return gathered
  }
}

function isKeptBin(value: unknown): value is KeptBin {
  if (!Array.isArray(value) || value.length !== 5) return false
  const [key, weight, , level, top] = value as number[]
  const isEach = value.every(
    (each, at) => typeof each === 'number' && Number.isFinite(each) && Math.abs(each) < LARGEST && (at === 0 || each >= 0),
  )
  return isEach && Number.isInteger(key) && Math.abs(key ?? Infinity) < 2_000 && (weight ?? 0) > 0 && (level ?? 0) > 0 && (top ?? 0) > 0
}

/** As exact as a figure learned from chance can be. */
function brief(value: number): number {
  return Number(value.toPrecision(6))
}

function merged(one: Bin, other: Bin): Bin {
  return {
    weight: one.weight + other.weight,
    pressure: one.pressure + other.pressure,
    level: one.level + other.level,
    top: Math.max(one.top, other.top),
  }
}

/** Pools neighbours whose pressure falls although their load rises. */
function rising(bins: readonly Bin[]): Bin[] {
  const pooled: Bin[] = []
  for (const bin of bins) {
    let next = bin
    for (let last = pooled.at(-1); last !== undefined && last.pressure / last.weight > next.pressure / next.weight; last = pooled.at(-1)) {
      pooled.pop()
      next = merged(last, next)
    }
    pooled.push(next)
  }
  return pooled
}
