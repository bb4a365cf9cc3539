import type { PluginHost } from './plugin-host.js'
import type { JsonSchema } from './json-schema.js'
import type { AnswerQuality } from './request-record.js'

/** What one node did with one request, as the judge of a rollout saw it; never a word of its text. */
export interface JudgedRequest {
  /** `pool/node`; null: nobody knows. */
  readonly node: string | null
  /** When the node was asked, and when the request ended; epoch, null: nobody knows. */
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  /** No whole answer came of it, whether or not another node gave one later. */
  readonly failed: boolean
  /** The node said that the request is wrong (4xx). */
  readonly refused: boolean
  /** To the first content of a stream; null without one. */
  readonly ttftMs: number | null
  /** From token to token of a stream; null where there were too few to tell. */
  readonly tpotMs: number | null
  /** Of a whole answer, where the engine told. */
  readonly completionTokens: number | null
  /** Absent: its text was not looked at. */
  readonly quality?: AnswerQuality
}

/** One side of a rollout, of which a number is wanted. */
export interface MetricQuestion<Settings = unknown> {
  /** `args` of the topology, with the defaults of the metric's own schema. */
  readonly settings: Settings
  readonly pool: string
  readonly side: 'new' | 'old'
  /** `r2`. */
  readonly revision: string
  /** What is asked about: from when this balancer began to judge until now; epoch. */
  readonly fromMs: number
  readonly toMs: number
  /** What this side did meanwhile, oldest first; the last thousand. */
  readonly samples: readonly JudgedRequest[]
  /** For whoever must ask somebody else. */
  readonly host: PluginHost
  /** Aborts when the answer comes too late. */
  readonly signal: AbortSignal
}

/** A figure that rollouts are judged by, as plugins bring it: `docs/extending/metric-plugins.md`. Promised to plugins; it may grow, by members that may be left out. */
export interface MetricPlugin<Settings = unknown> {
  readonly name: string
  /** One line, what the number says. */
  readonly summary: string
  /** JSON Schema of `args`. */
  readonly settings: JsonSchema
  /**
   * The number for one side; null: nothing can be told yet, ask again later. What throws, is no finite number or comes later than 10 s counts as a bad
   * answer, and so does a rollout that ends before any number was told: no data is a failure.
   */
  evaluate(question: MetricQuestion<Settings>): number | null | Promise<number | null>
}
