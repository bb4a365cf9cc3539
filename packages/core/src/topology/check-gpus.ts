import type { Finding } from './finding.js'
import { mostReplicas } from './check-scale.js'
import { listOf, recordOf, type KeyPath } from './key-path.js'

/** Set by core for an engine whose `gpus` are chosen; a second opinion in `env` would hide what was chosen. */
const OWN_VARIABLES = ['CUDA_VISIBLE_DEVICES', 'CUDA_DEVICE_ORDER', 'HIP_VISIBLE_DEVICES', 'ROCR_VISIBLE_DEVICES', 'GPU_DEVICE_ORDINAL']

/** `launch.gpus` against the rest of the launch: as many lists as replicas, enough to choose from, no contradiction in `env`. */
export function checkGpus(launch: Readonly<Record<string, unknown>>, path: KeyPath): Finding[] {
  const { gpus } = launch
  if (gpus === undefined) return []
  const most = mostReplicas(launch['replicas'])
  const replicas = typeof most === 'number' ? most : 1
  return [...checkLists(gpus, replicas, path), ...checkFrom(recordOf(gpus), replicas, path), ...checkVariables(launch, path)]
}

function checkLists(gpus: unknown, replicas: number, path: KeyPath): Finding[] {
  // What is no list of lists, the schema tells.
  if (!Array.isArray(gpus) || !gpus.every(Array.isArray)) return []
  const twice = gpus.findIndex((list) => new Set(listOf(list)).size < listOf(list).length)
  if (twice >= 0)
    return [{ path: [...path, 'gpus', twice], at: 'value', message: 'one GPU is named twice in a list', expected: 'each GPU once' }]
  if (gpus.length === replicas) return []
  const message = `gpus holds ${counted(gpus.length, 'list')}, and there ${replicas === 1 ? 'is' : 'are'} ${counted(replicas, 'replica')}`
  return [{ path: [...path, 'gpus'], at: 'value', message, expected: 'one list for each replica, such as [[0], [1]]' }]
}

function checkFrom({ from, perReplica, share }: Readonly<Record<string, unknown>>, replicas: number, path: KeyPath): Finding[] {
  if (!Array.isArray(from)) return []
  const each = typeof perReplica === 'number' ? perReplica : 1
  const needed = share === true ? each : each * replicas
  if (new Set(from).size >= needed) return []
  const message = `${counted(replicas, 'replica')} with ${each} each: ${counted(needed, 'GPU')}, and from names ${new Set(from).size}`
  return [
    { path: [...path, 'gpus', 'from'], at: 'value', message, hint: 'name more, launch fewer replicas, or let them share: share: true' },
  ]
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

function checkVariables(launch: Readonly<Record<string, unknown>>, path: KeyPath): Finding[] {
  return OWN_VARIABLES.filter((name) => name in recordOf(launch['env'])).map((name): Finding => ({
    path: [...path, 'env', name],
    at: 'key',
    message: `${name} cannot stand beside gpus, which sets it`,
    hint: 'keep one of the two',
  }))
}
