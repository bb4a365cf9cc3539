import type { CheckContext } from './check-context.js'
import type { Finding } from './finding.js'
import { recordOf, type KeyPath } from './key-path.js'
import { nearestWord } from './nearest-word.js'
import { formatDuration, parseDuration } from './quantities.js'
import { urlFault } from './rollout-faults.js'

/** One entry of `judge.metrics` beyond its schema. `isSecond`: another one has its name. */
export function checkMetric(
  metric: Readonly<Record<string, unknown>>,
  path: KeyPath,
  context: CheckContext & { readonly isSecond: boolean },
): Finding[] {
  const { name, min, max } = metric
  const findings = [...checkSource(metric, path, context), ...checkEvery(metric['every'], [...path, 'every'])]
  if (context.isSecond && typeof name === 'string')
    findings.push({ path: [...path, 'name'], at: 'value', message: `two metrics are named \`${name}\`` })
  if (min === undefined && max === undefined)
    findings.push({ path, at: 'value', message: 'a metric without limits judges nothing', expected: 'min, max or both' })
  if (typeof min === 'number' && typeof max === 'number' && min > max)
    findings.push({ path: [...path, 'min'], at: 'value', message: `min ${min} is more than max ${max}` })
  return findings
}

/** Who tells it: a URL, or a plugin with settings of its own. */
function checkSource({ url, path: at, plugin, args }: Readonly<Record<string, unknown>>, path: KeyPath, context: CheckContext): Finding[] {
  if ((url === undefined) === (plugin === undefined))
    return [{ path, at: 'value', message: 'a metric is told by a URL or by a plugin', expected: 'one of url and plugin' }]
  if (plugin === undefined) {
    const fault = typeof url === 'string' && url !== '' ? urlFault(url) : undefined
    return [
      ...(fault === undefined ? [] : [{ path: [...path, 'url'], at: 'value' as const, ...fault }]),
      ...(args === undefined ? [] : [{ path: [...path, 'args'], at: 'key' as const, message: 'only a metric of a plugin has settings' }]),
    ]
  }
  const isMisplaced = at === undefined ? [] : [{ path: [...path, 'path'], at: 'key' as const, message: 'a plugin tells the number itself' }]
  return [...isMisplaced, ...(typeof plugin === 'string' && plugin !== '' ? checkPlugin(plugin, args, path, context) : [])]
}

function checkPlugin(name: string, args: unknown, path: KeyPath, { metrics, checkSettings }: CheckContext): readonly Finding[] {
  const facts = metrics.get(name)
  if (facts !== undefined)
    return checkSettings({ schema: facts.settings, owner: `metric ${name}`, settings: recordOf(args), path: [...path, 'args'] }).findings
  const known = [...metrics.keys()]
  const near = nearestWord(name, known)
  const message = `no plugin brings the metric \`${name}\``
  const hint = known.length === 0 ? 'none is installed: lb plugins install NAME' : `known: ${known.join(', ')}`
  return [{ path: [...path, 'plugin'], at: 'value', message, ...(near === undefined ? { hint } : { suggestion: near }) }]
}

function checkEvery(every: unknown, path: KeyPath): Finding[] {
  const everyMs = typeof every === 'string' ? parseDuration(every) : undefined
  if (everyMs === undefined || (everyMs >= 100 && everyMs <= 86_400_000)) return []
  const expected = `${formatDuration(100)} to ${formatDuration(86_400_000)}`
  return [{ path, at: 'value', message: `every cannot be \`${String(every)}\``, expected }]
}
