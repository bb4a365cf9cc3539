import type { HostResponse, LoadFacts, NodeSpec, PluginHost, ProbeReport } from '@plimsoll/core/plugin'
import { askEngine, type EngineQuestions, refusalText } from './ask-engine.js'
import { readMetrics } from './load.js'
import { readServedModels, type ServedModels } from './served-models.js'
import type { VllmSettings } from './settings.js'
import { StepWatch } from './step-watch.js'
import { readVersion } from './version.js'

/**
 * Asks one engine how it is. vLLM binds its socket before it loads but does not listen: connection refused for minutes, and no 503 phase. For an
 * engine that was launched here and has not answered yet that is loading; at an attached one it cannot be told from a server that is not there.
 */
export class EngineWatch {
  private readonly ask: EngineQuestions
  private readonly steps: StepWatch
  private isUp = false
  private served: ServedModels | undefined
  private version: string | undefined
  private asleep = false

  constructor(
    private readonly spec: NodeSpec<VllmSettings>,
    host: PluginHost,
    nowMs?: () => number,
  ) {
    this.ask = askEngine(spec, host)
    this.steps = new StepWatch(nowMs)
  }

  async probe(signal: AbortSignal): Promise<ProbeReport> {
    const health = await this.ask.get('/health', signal).catch((error: unknown) => this.unreachable(error))
    if (health === undefined) return { verdict: 'loading', reason: 'loading: vLLM listens only when it is ready' }
    if (health.status !== 200) return unhealthy(health)
    this.isUp = true
    const standstill = this.steps.standstillSeconds
    // Seen again here: while it is out of rotation nobody else asks.
    if (standstill !== undefined || this.asleep || this.spec.settings.sleepMode === true) await this.metrics(signal)
    if (this.steps.standstillSeconds !== undefined)
      return {
        verdict: 'sick',
        reason: `hangs: requests run, but no step was made for ${this.steps.standstillSeconds} s (its /health is still good)`,
      }
    if (this.asleep) return { verdict: 'loading', reason: 'asleep: its weights are not on the GPU' }
    return this.identified(signal)
  }

  async load(signal: AbortSignal): Promise<LoadFacts> {
    const facts = await this.metrics(signal)
    const { served } = this
    const slots = this.spec.settings.maxNumSeqs
    return {
      ...facts,
      ...(slots === undefined ? {} : { slots: slots * (this.spec.settings.dataParallel ?? 1) }),
      ...(served?.contextTokens === undefined ? {} : { contextTokens: served.contextTokens }),
      ...(served === undefined || (served.adapters.length === 0 && facts.adapters === undefined) ? {} : { adapters: served.adapters }),
    }
  }

  /** Whether nothing runs and nothing waits, whoever sent it. A server that tells no figures (--disable-log-stats) counts as empty: core's own count is all there is. */
  async isEmpty(signal: AbortSignal): Promise<boolean> {
    const { running = 0, waiting = 0 } = await this.metrics(signal)
    return running + waiting === 0
  }

  private async metrics(signal: AbortSignal): Promise<LoadFacts> {
    const answer = await this.ask.get('/metrics', signal)
    if (answer.status !== 200) throw new Error(`/metrics answered ${refusalText(answer)}`)
    const { facts, stepMark } = readMetrics(answer.text)
    this.steps.see(facts.running, stepMark)
    this.asleep = facts.asleep ?? false
    return facts
  }

  private unreachable(error: unknown): undefined {
    const refused = (error as { code?: unknown } | null)?.code === 'ECONNREFUSED'
    if (refused && this.isLaunched && !this.isUp) return undefined
    throw error
  }

  private get isLaunched(): boolean {
    return this.spec.weights !== undefined
  }

  /** Is it the server that it should be? A stranger on the port must not get our requests. */
  private async identified(signal: AbortSignal): Promise<ProbeReport> {
    const answer = await this.ask.models(signal)
    if (answer.status === 401 || answer.status === 403)
      return { verdict: 'sick', reason: `/v1/models answered ${answer.status}: the key is missing or wrong` }
    if (isScaling(answer)) return scaling
    if (answer.status !== 200) return { verdict: 'sick', reason: `/v1/models answered ${refusalText(answer)}` }
    const served = readServedModels(answer.text)
    if (served === undefined) return { verdict: 'sick', reason: '/v1/models holds no model list' }
    this.served = served
    const wrong = this.difference(served)
    if (wrong !== undefined) return { verdict: 'sick', reason: wrong }
    this.version ??= await readVersion(this.ask, signal).catch(() => undefined)
    return { verdict: 'ready', models: served.names, ...(this.version === undefined ? {} : { version: this.version }) }
  }

  private difference({ names, contextTokens }: ServedModels): string | undefined {
    const { model, models, settings } = this.spec
    const wanted = model === undefined ? (this.isLaunched ? models : []) : [model]
    const missing = wanted.find((name) => !names.includes(name))
    if (missing !== undefined) return `serves ${names.join(', ') || 'nothing'}, not \`${missing}\``
    const asked = settings.maxModelLen
    if (asked !== undefined && contextTokens !== undefined && contextTokens !== asked)
      return `serves ${contextTokens} tokens of context, not the ${asked} of maxModelLen: is another server on this port?`
    return undefined
  }
}

function unhealthy(answer: HostResponse): ProbeReport {
  const { status } = answer
  if (isScaling(answer)) return scaling
  if (status === 503) return { verdict: 'sick', reason: 'the engine behind the server is dead (503 from /health)' }
  return { verdict: 'sick', reason: `/health answered ${status}; is this a vLLM server?` }
}

const scaling: ProbeReport = { verdict: 'loading', reason: 'the engine is scaling' }

/** On every path; newer versions spare `/health`. */
function isScaling({ status, text }: HostResponse): boolean {
  return status === 503 && text.includes('currently scaling')
}
