import { LbError } from '../../errors/index.js'
import type { MetricPlan } from '../../topology/index.js'

export type Side = 'new' | 'old'

/** Who tells a metric. */
export interface MetricSource {
  /** It tells the old revision's number too. */
  readonly isForEach: boolean
  /** Null: it is too early. Throws where no finite number comes. */
  tell(side: Side, signal: AbortSignal): Promise<number | null>
}

/** Asks for a URL's text; rejects where none comes. */
export type MetricFetch = (url: string, signal: AbortSignal) => Promise<string>

/** A metric that a URL answers. */
export function urlSource(
  { url = '', path }: Pick<MetricPlan, 'url' | 'path'>,
  fetch: MetricFetch,
  revisions: Readonly<Record<Side, string>>,
): MetricSource {
  return {
    isForEach: url.includes('{revision}'),
    async tell(side, signal) {
      const text = await fetch(url.replaceAll('{revision}', encodeURIComponent(revisions[side])), signal)
      const number = numberIn(text, path)
      if (number === undefined) throw untold(`no number${path === undefined ? '' : ` at ${path}`} in the answer`)
      return number
    },
  }
}

/** A metric that a plugin tells; whatever it does, a finite number comes of it, or a reason. One that never answers is asked once. */
export function pluginSource(
  plugin: string,
  evaluate: ((side: Side, signal: AbortSignal) => number | null | Promise<number | null>) | undefined,
): MetricSource {
  const open = new Set<Side>()
  const ask = async (side: Side, signal: AbortSignal): Promise<unknown> => {
    if (open.has(side)) throw untold(`the plugin of ${plugin} has not yet answered the last question`)
    open.add(side)
    try {
      return await evaluate?.(side, signal)
    } finally {
      open.delete(side)
    }
  }
  return {
    isForEach: true,
    async tell(side, signal) {
      if (evaluate === undefined) throw untold(`this balancer has no metric ${plugin}: lb up loads those that its topology names`)
      const number = await ask(side, signal)
      if (number === null) return null
      if (typeof number !== 'number' || !Number.isFinite(number)) throw untold(`the plugin of ${plugin} told no finite number`)
      return number
    },
  }
}

/** No number came, and its message says all about it. */
export function untold(message: string): LbError {
  return new LbError(message, {
    code: 'LB_METRIC_UNTOLD',
    source: 'operator',
    hint: 'ask the metric yourself: it must tell a number within 10 s',
  })
}

/** A number, or one in quotes as Prometheus writes them. */
function numberIn(text: string, path: string | undefined): number | undefined {
  let value: unknown = text
  if (path !== undefined) {
    try {
      value = JSON.parse(text)
    } catch {
      return undefined
    }
    for (const step of path.split('.')) {
      if (typeof value !== 'object' || value === null || !Object.hasOwn(value, step)) return undefined
      value = (value as Record<string, unknown>)[step]
    }
  }
  if (typeof value !== 'number' && typeof value !== 'string') return undefined
  const number = typeof value === 'string' && value.trim() === '' ? Number.NaN : Number(value)
  return Number.isFinite(number) ? number : undefined
}
