import type { TimerHandle } from '../base/index.js'
import { messageOf } from '../errors/index.js'
import type { KubernetesSource } from '../topology/index.js'
import { serversOfSlices, type EndpointSlice } from './endpoint-slices.js'
import { kubeAccess } from './kube-access.js'
import { jsonOf, kubeGet, KubeRefusal, linesOf } from './kube-request.js'
import { readSlice } from './read-slice.js'
import type { SourceContext, SourceEvents, SourceWatch, WatchSource } from './source.js'

/** A watch is asked for anew so often: one whose other end has gone without a word is noticed by then. */
const WATCH_S = 60
const SILENCE_MS = (WATCH_S + 15) * 1_000
const LIST_WITHIN_MS = 10_000
const FIRST_WAIT_MS = 500
const LONGEST_WAIT_MS = 15_000
const PAGE = 500

/** Lists the EndpointSlices of a service, then watches them; begins anew with a list whenever the watch breaks or its past is gone. */
export const watchKubernetes: WatchSource<KubernetesSource> = (source, context, events) => {
  const watch = new KubernetesWatch(source, context, events)
  void watch.run()
  return watch
}

class KubernetesWatch implements SourceWatch {
  private readonly slices = new Map<string, EndpointSlice>()
  private readonly over = new AbortController()
  private version = ''
  private waitMs = FIRST_WAIT_MS

  constructor(
    private readonly source: KubernetesSource,
    private readonly context: SourceContext,
    private readonly events: SourceEvents,
  ) {}

  stop(): void {
    this.over.abort()
  }

  async run(): Promise<void> {
    while (!this.over.signal.aborted) {
      try {
        await this.list()
        this.waitMs = FIRST_WAIT_MS
        while (!this.over.signal.aborted) await this.watch()
      } catch (error) {
        if (this.over.signal.aborted) return
        if (!(error instanceof PastIsGone)) this.events.problem(wordsOf(error))
        await this.pause(this.waitMs * (0.8 + 0.4 * this.context.random.next()))
        this.waitMs = Math.min(LONGEST_WAIT_MS, this.waitMs * 2)
      }
    }
  }

  private async list(): Promise<void> {
    const found: EndpointSlice[] = []
    let next = ''
    do {
      const more = next === '' ? '' : `&continue=${encodeURIComponent(next)}`
      const page = await this.within(LIST_WITHIN_MS, async (signal) => jsonOf(await this.get(`&limit=${PAGE}${more}`, signal)))
      const { items, metadata } = (page ?? {}) as { items?: unknown; metadata?: { resourceVersion?: unknown; continue?: unknown } }
      if (!Array.isArray(items)) throw new Error('the API server sent no list of EndpointSlices; is server its base URL?')
      found.push(...items.map(readSlice))
      this.version = textOf(metadata?.resourceVersion)
      next = textOf(metadata?.continue)
    } while (next !== '' && found.length < PAGE * 20)
    this.slices.clear()
    for (const slice of found) this.slices.set(slice.metadata?.name ?? '', slice)
    this.tell()
  }

  /** Resolves when the watch has had its time; throws PastIsGone where a list must come first. */
  private async watch(): Promise<void> {
    const query = `&watch=1&allowWatchBookmarks=true&timeoutSeconds=${WATCH_S}&resourceVersion=${encodeURIComponent(this.version)}`
    const startedMs = this.context.clock.nowMs()
    await this.within(SILENCE_MS, async (signal, alive) => {
      const answer = await this.get(query, signal).catch((error: unknown) => {
        throw error instanceof KubeRefusal && error.status === 410 ? new PastIsGone() : error
      })
      this.events.unchanged()
      for await (const line of linesOf(answer)) {
        alive()
        this.take(eventOf(line))
      }
    })
    // One that ends at once would be asked for without a pause.
    if (this.context.clock.nowMs() - startedMs < 1_000) await this.pause(1_000)
  }

  private take({ type, object }: WatchEvent): void {
    if (type === 'ERROR')
      throw object?.code === 410 ? new PastIsGone() : new Error(`the API server ended the watch: ${textOf(object?.message)}`)
    const slice = readSlice(object)
    const name = slice.metadata?.name ?? ''
    this.version = slice.metadata?.resourceVersion ?? this.version
    if (type === 'DELETED') this.slices.delete(name)
    else if (type === 'ADDED' || type === 'MODIFIED') this.slices.set(name, slice)
    else return this.events.unchanged()
    this.tell()
  }

  private tell(): void {
    try {
      this.events.truth(serversOfSlices([...this.slices.values()], this.source))
    } catch (error) {
      this.events.problem(messageOf(error))
    }
  }

  private async get(query: string, signal: AbortSignal) {
    const { namespace, service } = this.source
    const label = encodeURIComponent(`kubernetes.io/service-name=${service}`)
    const access = await kubeAccess(this.source, this.context.env)
    return kubeGet(access, `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${label}${query}`, signal)
  }

  /** Work that is given up after a silence; `alive` begins that anew. */
  private async within<Result>(silenceMs: number, work: (signal: AbortSignal, alive: () => void) => Promise<Result>): Promise<Result> {
    const late = new AbortController()
    let timer: TimerHandle | undefined
    const alive = (): void => {
      timer?.cancel()
      timer = this.context.clock.after(silenceMs, () => late.abort(new Error(`the API server was silent for ${silenceMs / 1_000} s`)))
    }
    alive()
    try {
      return await work(AbortSignal.any([late.signal, this.over.signal]), alive)
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error
    } finally {
      timer?.cancel()
    }
  }

  private pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.context.clock.after(ms, resolve)
      this.over.signal.addEventListener('abort', () => (timer.cancel(), resolve()), { once: true })
    })
  }
}

interface WatchEvent {
  readonly type?: unknown
  readonly object?: { readonly code?: unknown; readonly message?: unknown }
}

function eventOf(line: string): WatchEvent {
  try {
    return (JSON.parse(line) ?? {}) as WatchEvent
  } catch (error) {
    throw new Error(`the API server sent a line that is no JSON: ${line.slice(0, 80)}`, { cause: error })
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** The server has forgotten the version from which it was to go on. */
class PastIsGone extends Error {}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the API server does not answer (connection refused)',
  ECONNRESET: 'the API server broke the connection',
  ENOTFOUND: "the API server's name is not known",
  ETIMEDOUT: 'the API server does not answer',
  DEPTH_ZERO_SELF_SIGNED_CERT: "the API server's certificate is vouched for by none of the known ones; set caFile",
  SELF_SIGNED_CERT_IN_CHAIN: "the API server's certificate is vouched for by none of the known ones; set caFile",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the API server's certificate is vouched for by none of the known ones; set caFile",
}

function wordsOf(error: unknown): string {
  const code = (error as { code?: unknown } | null)?.code
  return (typeof code === 'string' ? WORDS[code] : undefined) ?? messageOf(error)
}
