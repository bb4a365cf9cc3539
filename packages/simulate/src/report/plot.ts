/** A curve with a name. */
export interface Curve {
  readonly name: string
  /** Left to right. */
  readonly points: readonly (readonly [x: number, y: number])[]
}

export interface PlotOptions {
  readonly title: string
  readonly xLabel: string
  readonly yLabel: string
  readonly curves: readonly Curve[]
  /** For values that differ tenfold; what is 0 or less stands at the bottom. */
  readonly logarithmic?: boolean
  readonly width?: number
  readonly height?: number
  /** Default: a legend where there are several curves. */
  readonly legend?: boolean
}

const MARGIN = { left: 62, right: 14, top: 26, bottom: 40 }
/** Okabe and Ito's colours, which most people can tell apart. */
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#999999', '#8b6f00'] as const
const DASHES = ['', '6 3', '2 3'] as const
const LEGEND_ROW = 16

/** Curves as SVG, for a page that brings its own styles. */
export function plotSvg(options: PlotOptions): string {
  const { title, xLabel, yLabel, curves, width = 560, height = 300 } = options
  const legend = options.legend ?? curves.length > 1
  const full = height + (legend ? LEGEND_ROW * Math.ceil(curves.length / 3) : 0)
  const frame = new Frame(options, width, height)
  return [
    `<svg viewBox="0 0 ${width} ${full}" width="${width}" role="img" aria-label="${escapeText(title)}">`,
    `<text class="title" x="${MARGIN.left}" y="16">${escapeText(title)}</text>`,
    ...frame.axes(),
    `<text class="label" x="${(MARGIN.left + width - MARGIN.right) / 2}" y="${height - 6}" text-anchor="middle">${escapeText(xLabel)}</text>`,
    `<text class="label" transform="translate(12 ${height / 2}) rotate(-90)" text-anchor="middle">${escapeText(yLabel)}</text>`,
    ...curves.map((curve, at) => frame.curve(curve, at)),
    ...(legend ? curves.map((curve, at) => legendEntry(curve.name, at, width, height)) : []),
    '</svg>',
  ].join('\n')
}

export function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

/** Where values stand on the paper. */
class Frame {
  private readonly x: readonly [number, number]
  private readonly y: readonly [number, number]
  private readonly yTicks: readonly number[]
  private readonly xTicks: readonly number[]

  constructor(
    private readonly options: PlotOptions,
    private readonly width: number,
    private readonly height: number,
  ) {
    const points = options.curves.flatMap(({ points: each }) => each)
    const xs = points.map(([x]) => x)
    const ys = points.map(([, y]) => y)
    this.x = wide(least(xs), most(xs))
    this.xTicks = linearTicks(this.x)
    this.yTicks = options.logarithmic === true ? logTicks(ys.filter((y) => y > 0)) : linearTicks([0, Math.max(1e-9, most(ys))])
    this.y = [this.yTicks[0] ?? 0, Math.max(this.yTicks.at(-1) ?? 1, options.logarithmic === true ? 0 : most(ys))]
  }

  axes(): string[] {
    const right = this.width - MARGIN.right
    const bottom = this.height - MARGIN.bottom
    const rows = this.yTicks.map((tick) => {
      const y = this.yAt(tick)
      return `<line class="grid" x1="${MARGIN.left}" x2="${right}" y1="${y}" y2="${y}"/><text class="tick" x="${MARGIN.left - 6}" y="${y + 4}" text-anchor="end">${shortNumber(tick)}</text>`
    })
    const columns = this.xTicks.map((tick) => {
      const x = this.xAt(tick)
      return `<line class="grid" x1="${x}" x2="${x}" y1="${MARGIN.top}" y2="${bottom}"/><text class="tick" x="${x}" y="${bottom + 14}" text-anchor="middle">${shortNumber(tick)}</text>`
    })
    return [...rows, ...columns]
  }

  curve({ name, points }: Curve, at: number): string {
    const path = points.map(([x, y], index) => `${index === 0 ? 'M' : 'L'}${this.xAt(x)} ${this.yAt(y)}`).join('')
    const dots =
      points.length > 24
        ? ''
        : points.map(([x, y]) => `<circle cx="${this.xAt(x)}" cy="${this.yAt(y)}" r="3" fill="${colour(at)}"/>`).join('')
    return `<g><title>${escapeText(name)}</title><path d="${path}" fill="none" stroke="${colour(at)}" stroke-width="1.6"${dash(at)}/>${dots}</g>`
  }

  private xAt(value: number): number {
    const [from, to] = this.x
    return round(MARGIN.left + ((value - from) / (to - from)) * (this.width - MARGIN.left - MARGIN.right))
  }

  private yAt(value: number): number {
    const [from, to] = this.y
    const share =
      this.options.logarithmic === true ? Math.log(Math.max(from, value) / from) / Math.log(to / from) : (value - from) / (to - from)
    return round(this.height - MARGIN.bottom - share * (this.height - MARGIN.top - MARGIN.bottom))
  }
}

function legendEntry(name: string, at: number, width: number, height: number): string {
  const column = (width - MARGIN.left) / 3
  const x = round(MARGIN.left + (at % 3) * column)
  const y = height + LEGEND_ROW * Math.floor(at / 3) + 8
  const shown = name.length > 26 ? `${name.slice(0, 25)}…` : name
  return `<line x1="${x}" x2="${x + 18}" y1="${y - 4}" y2="${y - 4}" stroke="${colour(at)}" stroke-width="2"${dash(at)}/><text class="tick" x="${x + 23}" y="${y}">${escapeText(shown)}</text>`
}

function colour(at: number): string {
  return COLOURS[at % COLOURS.length] ?? COLOURS[0]
}

function dash(at: number): string {
  const pattern = DASHES[Math.floor(at / COLOURS.length) % DASHES.length]
  return pattern === undefined || pattern === '' ? '' : ` stroke-dasharray="${pattern}"`
}

function linearTicks([from, to]: readonly [number, number]): number[] {
  const rough = (to - from) / 5
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = power * ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10)
  const first = Math.ceil(from / step - 1e-9)
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, at) => Number(((first + at) * step).toPrecision(12)))
}

/** 1, 2 and 5 of each decade, or decades alone where they are many; a tick at or beyond both ends. */
function logTicks(values: readonly number[]): number[] {
  const [low, high] = values.length === 0 ? [1, 10] : [least(values), most(values)]
  const from = Math.floor(Math.log10(low))
  const to = Math.floor(Math.log10(high))
  const steps = to - from > 3 ? [1] : [1, 2, 5]
  const all = Array.from({ length: to - from + 2 }, (_, at) => steps.map((step) => step * 10 ** (from + at))).flat()
  const first = all.findLastIndex((tick) => tick <= low)
  const last = all.findIndex((tick) => tick >= high && tick > low)
  return all.slice(Math.max(0, first), last + 1).map((tick) => Number(tick.toPrecision(6)))
}

function wide(from: number, to: number): [number, number] {
  return to > from ? [from, to] : [from - 0.5, to + 0.5]
}

function least(values: readonly number[]): number {
  return values.reduce((low, value) => Math.min(low, value), values[0] ?? 0)
}

function most(values: readonly number[]): number {
  return values.reduce((high, value) => Math.max(high, value), values[0] ?? 0)
}

function shortNumber(value: number): string {
  return value >= 10_000 ? `${Number((value / 1000).toPrecision(3))}k` : String(Number(value.toPrecision(4)))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
