import type { EngineDriver } from './engine-driver.js'
import { faultForms, isLoadFault, parseFault, type Fault } from './fault.js'
import { Refusal } from './refusal.js'

/** The two ways out of a process; tests hand in their own. */
export interface Ending {
  /** As by kill -9. */
  die(): void
  exit(code: number, why: string): void
}

interface SwitchOptions {
  readonly ending: Ending
  /** What `slow:N` multiplies. */
  readonly slowness: number
}

/** Holds the one fault that the engine shows, and works its change. */
export class FaultSwitch {
  current: Fault | undefined
  private readonly held: (() => void)[] = []
  private end: NodeJS.Timeout | undefined
  private drawn = 0

  constructor(
    private readonly driver: EngineDriver,
    private readonly options: SwitchOptions,
  ) {}

  get ending(): Ending {
    return this.options.ending
  }

  /** From the settings, before anything runs. A declared `die` waits for the first request. */
  declare(text: string): void {
    this.change(this.parse(text))
  }

  /** The engine begins to load: a declared end counts from here. */
  begin(loadMs: number): void {
    const fault = this.current
    if (fault?.kind === 'exit-on-load')
      this.end = setTimeout(() => this.ending.exit(fault.code, 'fault exit-on-load: giving up while loading the model'), loadMs)
    if (fault?.kind === 'die-after') this.dieAfter(loadMs + fault.afterMs)
  }

  /** Nothing ends this process any more. */
  close(): void {
    clearTimeout(this.end)
  }

  /** At run time; null clears. `die` happens now. */
  set(text: string | null): void {
    if (text === null) return this.change(undefined)
    const fault = this.parse(text)
    if (isLoadFault(fault)) throw new Refusal(400, `${text} can only be declared: the engine has loaded already`, { param: 'fault' })
    this.change(fault)
    if (fault.kind === 'die-after') this.dieAfter(fault.afterMs)
  }

  /** Resolves when the engine does not hang. */
  thawed(): Promise<void> {
    if (this.current?.kind !== 'hang') return Promise.resolve()
    const { promise, resolve } = Promise.withResolvers<void>()
    this.held.push(resolve)
    return promise
  }

  /** Whether this request is one that `errors:N%` or `busy:N%` is for: evenly spread, so that N % is N % of any hundred. */
  draws(kind: 'errors' | 'busy'): boolean {
    if (this.current?.kind !== kind) return false
    const { ratio } = this.current
    this.drawn++
    return Math.floor(this.drawn * ratio) > Math.floor((this.drawn - 1) * ratio)
  }

  private parse(text: string): Fault {
    const fault = parseFault(text)
    if (fault === undefined) throw new Refusal(400, `unknown fault ${JSON.stringify(text)}; known: ${faultForms}`, { param: 'fault' })
    return fault
  }

  private dieAfter(ms: number): void {
    this.end = setTimeout(() => this.ending.die(), ms)
  }

  private change(fault: Fault | undefined): void {
    clearTimeout(this.end)
    const stoodStill = standsStill(this.current)
    this.current = fault
    this.driver.model.setSlowness(this.options.slowness * (fault?.kind === 'slow' ? fault.factor : 1))
    if (standsStill(fault)) this.driver.freeze()
    else if (stoodStill) this.driver.thaw()
    if (fault?.kind !== 'hang') this.release()
  }

  private release(): void {
    for (const resolve of this.held.splice(0)) resolve()
  }
}

/** No step of the engine ends. */
function standsStill(fault: Fault | undefined): boolean {
  return fault?.kind === 'hang' || fault?.kind === 'stall'
}
