import type { Backend, Diagnosis, Logger } from '../contracts/index.js'
import { isLbError, LbError, messageOf } from '../errors/index.js'
import { tailText, type ProcessEnd } from '../machines/index.js'
import { wasForMemory } from './how-ended.js'
import { knownEnd } from './known-ends.js'
import { lastWords, printable } from './last-words.js'
import type { Life } from './life.js'

/** Why a life ended, or could not begin. */
export interface Explanation {
  /** One line: what happened, why, and what to do. */
  readonly reason: string
  readonly kind?: Diagnosis['kind']
}

/** The engine's plugin is asked first, then what is known of programs in general; else the last line of its log must do. */
export function explainEnd(life: Life, end: ProcessEnd, backend: Backend, log: Logger): Explanation {
  const tail = tailText(life.logPath, life.record.logFrom)
  const how = describeEnd(end)
  const diagnosis = killedForMemory(life, end) ?? (wasKilled(end) ? undefined : (byPlugin(backend, tail, log) ?? knownEnd(tail, end)))
  return diagnosis === undefined ? { reason: `${how}${lastWords(life.logPath, life.record.logFrom)}` } : explain(how, diagnosis)
}

/** A check before the launch found what would stop it. */
export class RefusedLaunch extends LbError {
  constructor(readonly diagnosis: Diagnosis) {
    super(diagnosis.message, { code: 'LB_PREFLIGHT', source: 'operator', hint: diagnosis.hint })
  }
}

/** An error that kept an engine from starting. */
export function explainError(error: unknown): Explanation {
  if (error instanceof RefusedLaunch) return explain('not launched', error.diagnosis)
  const hint = isLbError(error) && error.hint !== undefined ? `; ${error.hint}` : ''
  const reason = `${messageOf(error)}${hint}`
  return isLbError(error) && NEEDS_A_PERSON.has(error.code) ? { reason, kind: 'bad-settings' } : { reason }
}

const NEEDS_A_PERSON: ReadonlySet<string> = new Set(['LB_CANNOT_LAUNCH', 'LB_SECRET_IN_ARGS', 'LB_UNKNOWN_ENGINE', 'LB_SECRET_MISSING'])

export function explain(how: string, { kind, message, hint }: Diagnosis): Explanation {
  return { reason: `${how}: ${shown(message)}; ${shown(hint)}`, kind }
}

export function describeEnd(end: ProcessEnd): string {
  if (end.signal !== null) return `ended by ${end.signal}`
  return end.code === null ? 'ended; how is unknown, for an earlier lb had started it' : `exited with code ${end.code}`
}

/** By somebody's signal: what it had logged before is not why. */
function wasKilled({ signal }: ProcessEnd): boolean {
  return signal === 'SIGKILL' || signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGHUP'
}

/** The kernel says nothing to the program that it kills, only to its own counter. */
function killedForMemory(life: Life, { signal, code }: ProcessEnd): Diagnosis | undefined {
  if (signal !== 'SIGKILL' && code !== 137 && code !== null) return undefined
  if (!wasForMemory(life)) return undefined
  return {
    kind: 'out-of-memory',
    message: 'the kernel killed it, or something beside it, because memory ran out',
    hint: 'give the machine or its control group more memory, or take a smaller model; `dmesg` names what was killed',
  }
}

function byPlugin(backend: Backend, tail: string, log: Logger): Diagnosis | undefined {
  try {
    return backend.diagnose?.(tail)
  } catch (error) {
    log.warn('plugin.diagnose_failed', { error: messageOf(error) })
    return undefined
  }
}

const LONGEST_SHOWN = 300

function shown(text: unknown): string {
  return printable(String(text)).slice(0, LONGEST_SHOWN)
}

const HOPELESS: ReadonlySet<Diagnosis['kind']> = new Set(['model-missing', 'model-gated', 'bad-settings', 'driver'])

/** Whether the same launch would run into it again and again. */
export function isHopeless(kind: Explanation['kind']): boolean {
  return kind !== undefined && HOPELESS.has(kind)
}
