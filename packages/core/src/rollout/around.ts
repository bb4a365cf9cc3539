import type { PullProgress } from '../contracts/index.js'
import { messageOf } from '../errors/index.js'
import { nodesOf, type RolloutRecord } from './rollout-record.js'
import { fetchWeights, launchHashOf } from './revisions/index.js'
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

/** Once it is over: what is to be told of the end, and what a server need not hold any more. Never throws. */
export async function afterwards(record: RolloutRecord, world: RolloutWorld): Promise<readonly string[]> {
  try {
    if (record.at >= 0) await letGo(record, world)
    if (record.at >= 0 && (record.phase === 'rolled-back' || record.phase === 'aborted')) return [await restoredInWords(record, world)]
  } catch (error) {
    world.log.warn('rollout.afterwards_failed', { pool: record.pool, error: messageOf(error) })
  }
  return []
}

/** What lost leaves the memory of a server that has both models. */
async function letGo({ ground, pool, phase }: RolloutRecord, world: RolloutWorld): Promise<void> {
  for (const { from, to } of ground.pairs) {
    const [stays, goes] = phase === 'promoted' ? [to, from] : [from, to]
    if (ground.isStanding || goes.attach === undefined || goes.attach.url !== stays.attach?.url || goes.model === undefined) continue
    const keeper = world.nodes(pool).find(({ group }) => group === stays.name)?.backend?.models
    await keeper?.unload?.(goes.model, AbortSignal.timeout(UNLOAD_WITHIN_MS))
  }
}

/** Whether the old revision is what it was, by what its engines were launched with. */
async function restoredInWords(record: RolloutRecord, world: RolloutWorld): Promise<string> {
  const { launchHashes, planHash, from, ground, pool } = record
  const old = nodesOf({ ...record, back: { outcome: 'rolled-back', step: 'restoring' } }, 'old')
  const nodes = world.nodes(pool).filter(({ id }) => old.includes(id) && launchHashes[id] !== undefined)
  const stayed = nodes.filter(({ id, launchHash }) => launchHash === launchHashes[id]).length
  const [pair] = ground.pairs
  if (pair?.from.launch === undefined) return `${from.revision} answers as before`
  const now = await launchHashOf(world.pool(pool), pair.from, world.weights)
  if (now !== planHash)
    return `${from.revision} is back, but its launch is another one: ${short(planHash)} before, ${short(now)} now; a program or a variable has changed`
  const again = nodes.length - stayed
  const how = again === 0 ? 'none of its nodes was stopped' : `${again} of its nodes were launched again`
  return `${from.revision} is back as it was: launch ${short(planHash)}, byte for byte; ${how}`
}

function short(hash: string | null): string {
  return hash === null ? 'unknown' : hash.slice(0, 8)
}
