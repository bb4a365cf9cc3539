/** How one answered request went at the node that answered it. */
export interface WorkSample {
  readonly node: string
  /** Names its equals: replicas that were launched alike. */
  readonly kin: string
  readonly promptTokens: number
  /** Of these, the ones that the engine found in its cache; undefined where it does not say. */
  readonly cachedTokens: number | undefined
  /** From dispatch to the first token; undefined for an answer that came whole. */
  readonly firstTokenMs: number | undefined
  readonly answerTokens: number
  /** From dispatch to the end. */
  readonly totalMs: number
}

/** Prompts are told apart by powers of two up to this one. */
const SIZES = 24
const KEPT = 16
/** Where nothing is known of a machine, it is a slow one without an accelerator; and by the generosity of allowed-silence.ts it may be several times as slow. */
const UNKNOWN_PROMPT_TOKEN_MS = 100
const UNKNOWN_ANSWER_TOKEN_MS = 80
/** Where an engine does not say what it had cached, nobody is believed to read a token faster: what looks fast was cached. */
const UNTOLD_PROMPT_TOKEN_MS = 2
/** Prompts that are longer than any that was seen take more than in proportion. */
const GROWTH = 1.25
/** What is known of equals only, and not of the node itself, is taken with so much salt. */
const EQUALS_FACTOR = 2
/** To write a token takes as long as to read so many, or longer: four times on processors, many times on accelerators. */
const READ_PER_WRITTEN = 2
/** Tokens of a stream from which its pace can be told. */
const LEAST_ANSWER = 8

/**
 * How long nodes take to read a prompt and to write an answer, from what they answered: slow quantiles, queueing included, for the sole purpose of knowing how
 * long a node may be silent over honest work.
 */
export class WorkTimes {
  private readonly nodes = new Map<string, NodeTimes>()

  learn(sample: WorkSample): void {
    const { node, kin } = sample
    let times = this.nodes.get(node)
    if (times?.kin !== kin) this.nodes.set(node, (times = new NodeTimes(kin)))
    times.learn(sample)
  }

  /** Until a prompt of so many tokens is read, nothing of it cached. */
  promptMs(node: string, kin: string, tokens: number): number {
    if (tokens <= 0) return 0
    return this.known(node, kin, (times) => times.promptMs(tokens)) ?? tokens * UNKNOWN_PROMPT_TOKEN_MS
  }

  /** Until so many tokens are written. */
  answerMs(node: string, kin: string, tokens: number): number {
    if (tokens <= 0) return 0
    return tokens * (this.known(node, kin, (times) => times.answerTokenMs()) ?? UNKNOWN_ANSWER_TOKEN_MS)
  }

  /** Forgets all others. */
  retain(present: ReadonlySet<string>): void {
    for (const node of this.nodes.keys()) if (!present.has(node)) this.nodes.delete(node)
  }

  /** Of the node itself; else the slowest of its equals, with salt. */
  private known(node: string, kin: string, measure: (times: NodeTimes) => number | undefined): number | undefined {
    const times = this.nodes.get(node)
    const own = times === undefined ? undefined : measure(times)
    if (own !== undefined) return own
    let slowest: number | undefined
    for (const other of this.nodes.values()) {
      const told = other.kin === kin ? measure(other) : undefined
      if (told !== undefined) slowest = Math.max(slowest ?? 0, told)
    }
    return slowest === undefined ? undefined : slowest * EQUALS_FACTOR
  }
}

class NodeTimes {
  private readonly prompts: (Ring | undefined)[] = []
  private readonly answerTokens = new Ring()
  /** The engine says what it had cached. */
  private isTold = false

  constructor(readonly kin: string) {}

  learn({ promptTokens, cachedTokens, firstTokenMs, answerTokens, totalMs }: WorkSample): void {
    if (!(totalMs >= 0) || !Number.isFinite(totalMs)) return
    this.isTold ||= cachedTokens !== undefined
    const read = Math.max(1, promptTokens - (cachedTokens ?? 0))
    // Of an answer that came whole nobody saw the first token.
    const readMs = firstTokenMs ?? (totalMs * read) / (read + READ_PER_WRITTEN * answerTokens)
    ;(this.prompts[sizeOf(read)] ??= new Ring()).add(read, readMs)
    // The rhythm of a few words says nothing.
    if (firstTokenMs === undefined && answerTokens > 0) this.answerTokens.add(answerTokens, totalMs / answerTokens)
    else if (firstTokenMs !== undefined && answerTokens >= LEAST_ANSWER)
      this.answerTokens.add(answerTokens, (totalMs - firstTokenMs) / (answerTokens - 1))
  }

  /** By the longest prompts that were seen and are not much longer than this one, else by the shortest that were. */
  promptMs(tokens: number): number | undefined {
    let found: Ring | undefined
    const size = sizeOf(tokens)
    for (let at = size; at >= 0 && found === undefined; at -= 1) found = this.prompts[at]
    for (let at = size + 1; at < SIZES && found === undefined; at += 1) found = this.prompts[at]
    if (found === undefined) return undefined
    const seenMs = this.isTold ? (found.slow ?? 0) : Math.max(found.slowest, found.longest * UNTOLD_PROMPT_TOKEN_MS)
    return tokens <= found.longest ? seenMs : seenMs * (tokens / found.longest) ** GROWTH
  }

  answerTokenMs(): number | undefined {
    return this.answerTokens.slow
  }
}

/** The last few measurements. */
class Ring {
  private readonly tokens: number[] = []
  private readonly ms: number[] = []
  private at = 0

  add(tokens: number, ms: number): void {
    this.tokens[this.at] = tokens
    this.ms[this.at] = Math.max(0, ms)
    this.at = (this.at + 1) % KEPT
  }

  get longest(): number {
    return Math.max(0, ...this.tokens)
  }

  get slowest(): number {
    return Math.max(0, ...this.ms)
  }

  /** A slow one of them. */
  get slow(): number | undefined {
    const sorted = [...this.ms].sort((a, b) => a - b)
    return sorted[Math.floor(0.75 * sorted.length)]
  }
}

function sizeOf(tokens: number): number {
  return Math.min(SIZES - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, tokens)))))
}
