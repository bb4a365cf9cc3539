import type { Logger, ProbeReport, PullProgress } from '@plimsoll/core/plugin'
import { load, reasonOf } from './memory.js'
import { isSameModel } from './model-names.js'
import { pull } from './pull.js'
import type { Loaded, Server, Tag } from './server-facts.js'
import type { OllamaSettings } from './settings.js'

export interface Wish {
  /** Names that requests will use. */
  readonly asked: readonly string[]
  /** What to fetch for them. */
  readonly sources: readonly string[]
  readonly settings: Pick<OllamaSettings, 'pull' | 'preload' | 'keepAlive'>
}

export interface Seen {
  /** What the server has that it may serve. */
  readonly tags: readonly Tag[]
  readonly loaded: readonly Loaded[]
}

interface Job {
  readonly reason: string
  progress: PullProgress | undefined
}

const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 60_000
/** Probes in a row without a question whether the node is empty, after which a drain counts as taken back. */
const LOOKS_UNTIL_BACK = 3

/**
 * Brings a launched server to where it can serve: pulls and loads what is asked for, one thing at a time. The work belongs to this object, not to the
 * probe that begins it: a load ends when its request does, so no probe's timeout may touch it. Nothing is begun again before the last try has ended.
 */
export class Readiness {
  private job: Job | undefined
  private failure: { readonly reason: string; readonly untilMs: number } | undefined
  private failures = 0
  private readonly pulled = new Set<string>()
  private readonly wasLoaded = new Set<string>()
  private looksSinceDrain = LOOKS_UNTIL_BACK

  constructor(
    private readonly server: Server,
    private readonly wish: Wish,
    private readonly log: Logger,
  ) {}

  /** Undefined when it is ready; else what it does about that now. */
  look(seen: Seen): ProbeReport | undefined {
    this.looksSinceDrain += 1
    for (const { name } of seen.loaded) this.wasLoaded.add(name)
    if (this.job !== undefined) return working(this.job)
    if (this.failure !== undefined && performance.now() < this.failure.untilMs) return { verdict: 'sick', reason: this.failure.reason }
    return this.fetch(seen) ?? this.preload(seen)
  }

  /** The node is being emptied: what leaves memory now is not brought back. */
  drains(): void {
    this.looksSinceDrain = 0
  }

  private fetch({ tags }: Seen): ProbeReport | undefined {
    const { asked, sources, settings } = this.wish
    const has = (name: string): boolean => tags.some((tag) => isSameModel(tag.name, name))
    const wanted = sources.find((name) => (settings.pull === 'always' ? !this.pulled.has(name) : !has(name)))
    if (wanted !== undefined && settings.pull !== 'never') return this.pull(wanted, has(wanted))
    const missing = [...sources, ...asked].find((name) => !has(name))
    if (missing === undefined) return undefined
    const copy = sources.find((source) => has(source))
    const hint =
      copy === undefined ? `lb models pull ${missing} fetches it` : `requests ask for it because \`model\` says so; it has ${copy}`
    return { verdict: 'sick', reason: `${missing} is not pulled there; ${hint}` }
  }

  /** One after the other until there is no room for more; then it is the server's affair which of them stay, as long as one does. */
  private preload({ loaded, tags }: Seen): ProbeReport | undefined {
    const { asked, settings } = this.wish
    const local = asked.filter((name) => tags.some((tag) => isSameModel(tag.name, name) && !tag.isCloud))
    if (!settings.preload || local.length === 0) return undefined
    const there = local.filter((name) => loaded.some((each) => isSameModel(each.name, name)))
    const were = local.filter((name) => [...this.wasLoaded].some((each) => isSameModel(each, name)))
    const next = local.find((name) => !were.includes(name))
    // One of them had to go for another: that is all that fits.
    if (there.length > 0 && (next === undefined || were.length > there.length)) return undefined
    if (this.looksSinceDrain < LOOKS_UNTIL_BACK) return { verdict: 'loading', reason: 'emptied by its drain' }
    return this.loadInto(next ?? local[0] ?? '', there.length > 0)
  }

  private pull(model: string, isThere: boolean): ProbeReport {
    const job: Job = { reason: `pulling ${model}`, progress: undefined }
    const onProgress = (progress: PullProgress): void => void (job.progress = progress)
    return this.begin(job, async () => {
      try {
        await pull(this.server, model, { signal: new AbortController().signal, onProgress })
      } catch (error) {
        if (!isThere) throw error
        // A newer one was wanted, and the old one serves.
        this.log.warn('ollama.not_renewed', { model, error: reasonOf(error) })
      }
      this.pulled.add(model)
    })
  }

  private loadInto(model: string, othersServe: boolean): ProbeReport {
    const { keepAlive } = this.wish.settings
    return this.begin({ reason: `loading ${model} into memory`, progress: undefined }, async () => {
      try {
        await load(this.server, model, { signal: new AbortController().signal, keepAlive })
      } catch (error) {
        if (!othersServe) throw error
        // No reason to keep the others from serving.
        this.log.warn('ollama.not_preloaded', { model, error: reasonOf(error) })
      }
      this.wasLoaded.add(model)
    })
  }

  private begin(job: Job, work: () => Promise<void>): ProbeReport {
    this.job = job
    this.failure = undefined
    void this.settle(job, work)
    return working(job)
  }

  private async settle(job: Job, work: () => Promise<void>): Promise<void> {
    const startedAtMs = performance.now()
    try {
      await work()
      this.failures = 0
      this.log.info('ollama.done', { what: job.reason, seconds: Math.round((performance.now() - startedAtMs) / 1000) })
    } catch (error) {
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.failures)
      this.failures += 1
      const reason = `${reasonOf(error)} (tried ${this.failures === 1 ? 'once' : `${this.failures} times`}; lb goes on trying)`
      this.failure = { reason, untilMs: performance.now() + pauseMs }
      this.log.warn('ollama.failed', { what: job.reason, error: reasonOf(error) })
    } finally {
      this.job = undefined
    }
  }
}

function working({ reason, progress }: Job): ProbeReport {
  const { doneBytes, totalBytes, step = '' } = progress ?? {}
  const ratio = doneBytes === undefined || totalBytes === undefined || totalBytes === 0 ? undefined : Math.min(1, doneBytes / totalBytes)
  // The bytes of a part are in the ratio; its name would make each part a piece of news.
  const more = step === '' || step.startsWith('pulling') ? '' : `: ${step}`
  return { verdict: 'loading', reason: `${reason}${more}`, ...(ratio === undefined ? {} : { progress: ratio }) }
}
