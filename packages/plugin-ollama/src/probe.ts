import type { NodeSpec, ProbeReport } from '@plimsoll/core/plugin'
import { isSameModel, servedNames } from './model-names.js'
import type { Readiness } from './readiness.js'
import { loadedAt, type Server, tagsAt, type Tag, versionAt } from './server-facts.js'

export interface Probed {
  readonly server: Server
  readonly spec: NodeSpec
  /** Of a launched server; an attached one is somebody else's to pull for and to load. */
  readonly readiness: Readiness | undefined
  /** Models that run on somebody else's machines count as served. */
  readonly takesCloud: boolean
}

/**
 * Version, pulled models, and for a launched server those in memory: that it answers says nothing yet. Never a generation: it would load a model and
 * change how long others stay.
 */
export async function probe({ server, spec, readiness, takesCloud }: Probed, signal: AbortSignal): Promise<ProbeReport> {
  const version = await versionAt(server, signal)
  if ('why' in version) return { verdict: 'sick', reason: version.why }
  const [all, loaded] = await Promise.all([tagsAt(server, signal), readiness === undefined ? [] : loadedAt(server, signal)])
  if (all === undefined) return { verdict: 'sick', reason: '/api/tags gave no list of models' }
  if (loaded === undefined) return { verdict: 'sick', reason: '/api/ps gave no list of models' }
  const tags = takesCloud ? all : all.filter((tag) => !tag.isCloud)
  const report = readiness === undefined ? missingIn(tags, all, spec.model) : readiness.look({ tags, loaded })
  return report ?? { verdict: 'ready', models: servedNames(tags.map(({ name }) => name)), ...version }
}

function missingIn(tags: readonly Tag[], all: readonly Tag[], model: string | undefined): ProbeReport | undefined {
  const isIt = ({ name }: Tag): boolean => model !== undefined && isSameModel(name, model)
  if (model === undefined || tags.some(isIt)) return undefined
  if (all.some(isIt))
    return { verdict: 'sick', reason: `${model} there only leads to Ollama's cloud; pull a model that runs on the machine itself` }
  return { verdict: 'sick', reason: `${model} is not pulled there; run: lb models pull ${model}` }
}
