import type { HungLimits, NodeSigns } from './hung-watch.js'
import type { WorkTimes } from './work-times.js'

/** How long a node may say nothing over the work that it has. */
export interface AllowedSilence {
  readonly ms: number
  /** What the work itself is expected to take of it. */
  readonly explainedMs: number
  /** What decides, for people. */
  readonly because: string
}

export interface SilenceScene {
  readonly limits: HungLimits
  readonly times: Pick<WorkTimes, 'promptMs' | 'answerMs'>
  /** This life of the node has brought a token. */
  readonly hasSpoken: boolean
  /** Unexplained silence that it has come back from more than once. */
  readonly survivedMs: number
}

/** What is expected may take so many times longer. */
const PROMPT_FACTOR = 4
const ANSWER_FACTOR = 3
/** An engine that reads prompts first may read so many more before it ends an answer that says nothing before its end. */
const MOST_PROMPTS_BEFORE = 12
const OVERHEAD_MS = 1_000
/** Few requests may all wait for something that lb does not see: others' work, a model that thinks without a word, a kernel that is compiled first. */
const FEW = 3
const PATIENCE = 4
/** Two unanswered probes of a node with a crowd at it, three of one with few. */
const UNANSWERED_CROWD = 2
const UNANSWERED_FEW = 3
/** A server that answers nothing while it computes looks dead; with few requests it is given so long. */
const UNANSWERED_FEW_MS = 30_000

/** Long prompts and long answers never count against a node: silence is allowed for several times as long as they are expected to take. */
export function allowedSilence(signs: NodeSigns, scene: SilenceScene): AllowedSilence {
  const { id, kin } = signs
  const { times, survivedMs } = scene
  const promptMs = signs.waiting > 0 ? times.promptMs(id, kin, signs.largestPromptTokens) : 0
  const answerMs = times.answerMs(id, kin, signs.silentTokens)
  const explainedMs = promptMs + answerMs
  const ways: readonly (readonly [number, string])[] = [
    baseOf(signs, scene),
    [OVERHEAD_MS + (PROMPT_FACTOR + promptsBefore(signs)) * promptMs + ANSWER_FACTOR * answerMs, reasonOf(promptMs, answerMs)],
    [2 * survivedMs, 'it was silent for as long before and came back'],
  ]
  const [ms, because] = ways.reduce((most, each) => (each[0] > most[0] ? each : most))
  const cutMs = isUnanswering(signs) ? unansweredMs(signs, scene.limits) : Infinity
  return cutMs < ms ? { ms: cutMs, explainedMs, because: 'it does not answer its probes either' } : { ms, explainedMs, because }
}

function promptsBefore({ waiting, silentTokens }: NodeSigns): number {
  return silentTokens > 0 ? Math.min(MOST_PROMPTS_BEFORE, Math.max(0, waiting - 1)) : 0
}

function baseOf({ inFlight, isOurs, onTrial }: NodeSigns, { limits, hasSpoken }: SilenceScene): readonly [number, string] {
  const { afterMs } = limits
  if (onTrial) return [afterMs / 2, 'it is on trial']
  if (!hasSpoken) return [afterMs * PATIENCE, 'it has not answered anything yet']
  if (inFlight < FEW && !isOurs) return [afterMs * PATIENCE, 'few requests, and others may use it']
  return [afterMs, 'no work would explain more']
}

function reasonOf(promptMs: number, answerMs: number): string {
  return promptMs >= answerMs ? 'a long prompt waits there' : 'an answer is written that says nothing before its end'
}

/** Neither its probes nor its processor show life. */
function isUnanswering({ inFlight, unanswered, process }: NodeSigns): boolean {
  return process !== 'works' && unanswered >= (inFlight >= FEW ? UNANSWERED_CROWD : UNANSWERED_FEW)
}

function unansweredMs({ inFlight, isOurs, process }: NodeSigns, { afterMs }: HungLimits): number {
  return inFlight >= FEW || isOurs || process === 'idle' ? afterMs / 2 : Math.max(afterMs, UNANSWERED_FEW_MS)
}
