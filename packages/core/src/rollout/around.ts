import type { PullProgress } from '../contracts/index.js'
import type { GroupPlan } from '../topology/index.js'
import { nodesOf, type RolloutRecord } from './rollout-record.js'
import { contentOf, fetchWeights, launchHashOf } from './revisions/index.js'
import type { RolloutWorld } from './rollout-world.js'

interface FetchHooks {
  readonly signal: AbortSignal
  readonly onProgress: (what: string) => void
}

/** Before anything changes: the weights are where they will be looked for, and a server that holds several models has the new one in memory. */
export async function weightsFor(record: RolloutRecord, world: RolloutWorld, { signal, onProgress }: FetchHooks): Promise<void> {
  if (record.ground.isStanding) return
  const pool = world.pool(record.pool)
  for (const { from, to } of record.ground.pairs) {
    const running = world.nodes(record.pool).find(({ group }) => group === from.name)?.backend
    const told = (progress: PullProgress): void => onProgress(progressInWords(progress))
    await fetchWeights(pool, to, world.weights, { signal, onProgress: told, running, fetcher: world.fetcher })
    if (to.attach === undefined || to.model === undefined || running?.models?.load === undefined) continue
    onProgress(`loads ${to.model}`)
    await running.models.load(to.model, signal)
  }
}

function progressInWords({ step, doneBytes, totalBytes }: PullProgress): string {
  if (doneBytes === undefined || totalBytes === undefined || totalBytes === 0) return `fetches weights: ${step}`
  return `fetches weights: ${step}, ${Math.floor((100 * doneBytes) / totalBytes)} % of ${(totalBytes / 1e9).toFixed(1)} GB`
}

const UNLOAD_WITHIN_MS = 30_000

/** What lost leaves the memory of a server that has both models. */
export async function letGo({ ground, pool, phase, at }: RolloutRecord, world: RolloutWorld): Promise<void> {
  if (at < 0) return
  for (const { from, to } of ground.pairs) {
    const [stays, goes] = phase === 'promoted' ? [to, from] : [from, to]
    if (ground.isStanding || goes.attach === undefined || goes.attach.url !== stays.attach?.url || goes.model === undefined) continue
    if (isAskedFor(goes, pool, world)) continue
    const keeper = world.nodes(pool).find(({ group }) => group === stays.name)?.backend?.models
    await keeper?.unload?.(goes.model, AbortSignal.timeout(UNLOAD_WITHIN_MS))
  }
}

/** The file may say by now what was only tried. */
function isAskedFor({ model, attach }: GroupPlan, pool: string, world: RolloutWorld): boolean {
  return world.pool(pool).groups.some((group) => group.model === model && group.attach?.url === attach?.url)
}

/** Whether the old revision is what it was: by what its engines were launched with, and by their weights. `content`: of its weights, as it was known. */
export async function restoredInWords(record: RolloutRecord, world: RolloutWorld, content: string | null): Promise<readonly string[]> {
  const { launchHashes, planHash, from, ground } = record
  const pool = world.pool(record.pool)
  const [pair] = ground.pairs
  if (pair?.from.launch === undefined) return [`${from.revision} answers as before`]
  const old = nodesOf({ ...record, back: { outcome: 'rolled-back', step: 'restoring' } }, 'old')
  const nodes = world.nodes(record.pool).filter(({ id }) => old.includes(id) && launchHashes[id] !== undefined)
  const again = nodes.filter(({ id, launchHash }) => launchHash !== launchHashes[id]).length
  const [now, weights] = await Promise.all([launchHashOf(pool, pair.from, world.weights), contentOf(pool, pair.from, world.weights)])
  const moved =
    weights === null || content === null || weights === content
      ? []
      : [
          `the weights of ${from.model} have moved meanwhile: ${from.revision} had ${content}, and the same name is ${weights} now; bring the old ones back under a name of their own, then lb rollout start ${record.pool} --model NAME`,
        ]
  if (now !== planHash)
    return [
      `${from.revision} is back, but its launch is another one: ${short(planHash)} before, ${short(now)} now; a program or a variable has changed`,
      ...moved,
    ]
  const how = again === 0 ? 'none of its nodes was stopped' : `${again} of its nodes ${again === 1 ? 'was' : 'were'} launched again`
  return [`${from.revision} is back as it was: launch ${short(planHash)}, byte for byte; ${how}`, ...moved]
}

function short(hash: string | null): string {
  return hash === null ? 'unknown' : hash.slice(0, 8)
}
