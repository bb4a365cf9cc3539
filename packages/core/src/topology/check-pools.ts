import { parseAttach } from './addresses.js'
import { checkNode } from './check-node.js'
import { checkRollout } from './check-rollout.js'
import { checkResidency } from './check-residency.js'
import { defaultStrategy, type CheckContext } from './check-context.js'
import type { Finding } from './finding.js'
import { groupNames } from './group-names.js'
import { listOf, recordOf, type KeyPath } from './key-path.js'
import { named } from './members.js'
import { mostReplicas } from './check-scale.js'
import { nearestWord } from './nearest-word.js'

/** All that the schema cannot see in pools: names that meet twice, strategies and engines that nobody brings. */
export function checkPools(root: unknown, context: CheckContext): Finding[] {
  const pools = Object.entries(recordOf(recordOf(root)['pools'])).filter(([name]) => !name.startsWith('x-'))
  return [...checkModels(pools), ...pools.flatMap(([name, pool]) => checkPool(name, recordOf(pool), context))]
}

function checkPool(name: string, pool: Readonly<Record<string, unknown>>, context: CheckContext): Finding[] {
  const path = ['pools', name]
  const nodes = listOf(pool['nodes'])
  return [
    ...checkStrategy(pool['strategy'] ?? defaultStrategy, [...path, 'strategy'], context),
    ...checkGroupNames(name, nodes),
    ...checkRoles(name, nodes, path),
    ...checkRollout(pool['rollout'], [...path, 'rollout'], context),
    ...checkResidency(name, pool, path),
    ...nodes.flatMap((node, index) => checkNode({ pool: name, path: [...path, 'nodes', index], node: recordOf(node) }, context)),
  ]
}

/** A model that two pools serve would be answered by whichever came first, without a word. */
function checkModels(pools: readonly (readonly [string, unknown])[]): Finding[] {
  const owners = new Map<string, string>()
  const findings: Finding[] = []
  for (const [pool, value] of pools) {
    for (const { model, path, at } of modelsOf(pool, recordOf(value)['models'])) {
      const owner = owners.get(model)
      if (owner === undefined) owners.set(model, pool)
      else if (owner === pool) findings.push({ path, at, message: `pool ${pool}: the model \`${model}\` is listed twice` })
      else
        findings.push({
          path,
          at,
          message: `the model \`${model}\` is served by pool ${owner} and by pool ${pool}`,
          hint: 'a model name belongs to one pool: rename one, or move the nodes together',
        })
    }
  }
  return findings
}

function modelsOf(pool: string, models: unknown): { model: string; path: KeyPath; at: 'key' | 'value' }[] {
  if (models === undefined) return [{ model: pool, path: ['pools', pool], at: 'key' }]
  return listOf(models).flatMap((model, index) =>
    typeof model === 'string' ? [{ model, path: ['pools', pool, 'models', index], at: 'value' }] : [],
  )
}

function checkStrategy(strategy: unknown, path: KeyPath, context: CheckContext): Finding[] {
  const name = typeof strategy === 'string' ? strategy : recordOf(strategy)['name']
  if (typeof name !== 'string' || name === '') return []
  const at = typeof strategy === 'string' ? path : [...path, 'name']
  const facts = context.strategies.get(name)
  if (facts === undefined) return [unknownStrategy(name, { at, pool: String(path[1]) }, context)]
  const { name: _, ...settings } = recordOf(strategy)
  return [...context.checkSettings({ schema: facts.settings, owner: `strategy ${name}`, settings, path }).findings]
}

function unknownStrategy(name: string, place: { readonly at: KeyPath; readonly pool: string }, context: CheckContext): Finding {
  const known = [...context.strategies.keys()]
  const near = nearestWord(name, known)
  const words = near === undefined ? { expected: `one of ${known.join(', ')}` } : { suggestion: near }
  return { path: place.at, at: 'value', message: `pool ${place.pool}: there is no strategy \`${name}\``, ...words }
}

/** Prompts that are computed for nobody would be lost work. */
function checkRoles(pool: string, nodes: readonly unknown[], path: KeyPath): Finding[] {
  const roles = nodes.map((node) => recordOf(node)['role'])
  const [prefill, decode] = [roles.indexOf('prefill'), roles.indexOf('decode')]
  if ((prefill === -1) === (decode === -1)) return []
  const [has, lacks] = prefill === -1 ? ['decode', 'prefill'] : ['prefill', 'decode']
  return [
    {
      path: [...path, 'nodes', Math.max(prefill, decode), 'role'],
      at: 'value',
      message: `pool ${pool}: a node group has the role ${has}, and none has ${lacks}`,
      hint: `give another group \`role: ${lacks}\`, or leave the role out`,
    },
  ]
}

/** Node ids come from group names, so `gpu` with three replicas and a group named `gpu-1` would meet. */
function checkGroupNames(pool: string, nodes: readonly unknown[]): Finding[] {
  const owners = new Map<string, number>()
  const names = groupNames(nodes)
  return nodes.flatMap((node, index): Finding[] => {
    const name = names[index] ?? ''
    const clash = idsOf(name, node).find((id) => owners.has(id))
    for (const id of idsOf(name, node)) owners.set(id, owners.get(id) ?? index)
    if (clash === undefined) return []
    const named = recordOf(node)['name'] !== undefined
    const path = ['pools', pool, 'nodes', index, ...(named ? ['name'] : [])]
    const message =
      clash === name && names.indexOf(name) < index
        ? `pool ${pool}: two node groups are named \`${name}\``
        : `pool ${pool}: two nodes would be named \`${clash}\``
    return [{ path, at: 'value', message, hint: 'give each group a name of its own' }]
  })
}

function idsOf(name: string, node: unknown): readonly string[] {
  const { attach } = recordOf(node)
  if (Array.isArray(attach)) return namesOfList(name, attach)
  const replicas = mostReplicas(recordOf(recordOf(node)['launch'])['replicas'])
  if (typeof replicas !== 'number' || replicas <= 1 || replicas > 1024) return [name]
  return Array.from({ length: Math.floor(replicas) }, (_, index) => `${name}-${index}`)
}

function namesOfList(name: string, attach: readonly unknown[]): readonly string[] {
  const urls = attach
    .flatMap((text) => (typeof text === 'string' ? [parseAttach(text)] : []))
    .flatMap((parsed) => ('url' in parsed ? parsed : []))
  return named(urls).map((member) => `${name}-${member.name}`)
}
