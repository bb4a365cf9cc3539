import type { ProbeReport } from '@plimsoll/core/plugin'
import { answersTo, type ListedModel, namesOf, readModelList } from './model-list.js'
import type { Props, Server } from './server.js'

/** `/health` (public, tells loading from ready), then the model list (needs the key, so a wrong one is found here and not by clients). None of them asks the engine. */
export function createProbe(server: Server): (signal: AbortSignal) => Promise<ProbeReport> {
  let props: Props | undefined
  let isAsked = false
  return async (signal) => {
    const { status, text } = await server.get('/health', signal)
    if (status !== 200) return unhealthy(status, text)
    const answer = await server.models(signal)
    if (answer.status !== 200) return noList(server.modelsPath, answer.status, answer.text)
    const list = readModelList(answer.text)
    if (list === undefined) return { verdict: 'sick', reason: `${server.modelsPath} holds no model list` }
    // Once: build and mode do not change in one life. Where it is closed, they stay unknown.
    if (!isAsked) props = await server.props(signal).catch(() => undefined)
    isAsked = true
    return judge(list, server, props)
  }
}

function judge(list: readonly ListedModel[], { spec }: Server, props: Props | undefined): ProbeReport {
  const isRouter = list.some(({ status }) => status !== undefined)
  // A single model answers whatever name was asked: only a name that was declared for this very node can be wrong.
  const wanted = isRouter && spec.model === undefined ? spec.models : spec.model === undefined ? [] : [spec.model]
  const found = list.filter((model) => wanted.some((name) => answersTo(model, name)))
  const models = namesOf(list)
  if (wanted.length > 0 && found.length === 0)
    return { verdict: 'sick', reason: `it has ${shownNames(models)}, not ${wanted.map((name) => `\`${name}\``).join(' or ')}` }
  const notYet = isRouter ? reasonToWait(found, props?.autoload !== false) : undefined
  if (notYet !== undefined) return { verdict: 'loading', reason: notYet }
  return { verdict: 'ready', models, ...(props?.build === undefined ? {} : { version: props.build }) }
}

/** A router that loads on demand holds a request until its model is there, so it serves now; one that does not, or that still fetches the files, serves nothing yet. */
function reasonToWait(found: readonly ListedModel[], autoload: boolean): string | undefined {
  const [first] = found
  if (first === undefined || found.some(({ status }) => status === 'loaded' || status === 'sleeping')) return undefined
  const busy = found.find(({ status }) => status === 'downloading' || (status === 'loading' && !autoload))
  if (busy !== undefined) return `${busy.status} ${busy.id}`
  if (autoload) return undefined
  return `${first.id} is not in memory${first.failed === true ? ' (it ended by itself)' : ''}, and this router loads nothing by itself`
}

function shownNames(names: readonly string[]): string {
  if (names.length === 0) return 'no model'
  const shown = names.slice(0, 5).map((name) => `\`${name.slice(0, 100)}\``)
  return `${shown.join(', ')}${names.length > shown.length ? ` and ${names.length - shown.length} more` : ''}`
}

function noList(path: string, status: number, text: string): ProbeReport {
  if (isLoading(status, text)) return { verdict: 'loading', reason: 'loading the model' }
  const why = status === 401 || status === 403 ? ': the key is missing or wrong' : ''
  return { verdict: 'sick', reason: `${path} answered ${status}${why}` }
}

function unhealthy(status: number, text: string): ProbeReport {
  if (isLoading(status, text)) return { verdict: 'loading', reason: 'loading the model' }
  return { verdict: 'sick', reason: `/health answered ${status}${status === 404 ? '; is this a llama-server?' : ''}` }
}

function isLoading(status: number, text: string): boolean {
  return status === 503 && text.includes('Loading model')
}
