import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { CheckContext } from './check-context.js'
import { checkMetric } from './check-metric.js'
import type { Finding } from './finding.js'
import { listOf, placeName, recordOf, type KeyPath } from './key-path.js'
import { formatPercent, parseFactor, parsePercent } from './quantities.js'
import { stepsFault, headerFault, urlFault } from './rollout-faults.js'

/** `rollout` of a pool beyond its schema: steps that grow, places that can be reached, a file that is there. */
export function checkRollout(rollout: unknown, path: KeyPath, context: CheckContext): Finding[] {
  if (rollout === undefined) return []
  const { kind, steps, header, webhooks, judge, maxSurge, maxUnavailable } = recordOf(rollout)
  return [
    ...checkSteps(kind, steps, [...path, 'steps']),
    ...checkHeader(recordOf(header)['name'], [...path, 'header', 'name']),
    ...listOf(webhooks).flatMap((url, index) => checkUrl(url, [...path, 'webhooks', index])),
    ...checkJudge(recordOf(judge), [...path, 'judge'], context),
    ...(maxSurge === 0 && (maxUnavailable ?? 0) === 0 ? [stuck([...path, 'maxSurge'])] : []),
  ]
}

function stuck(path: KeyPath): Finding {
  const message = 'with neither more nor fewer nodes than declared none can be replaced'
  return { path, at: 'value', message, hint: 'maxSurge: 1 where there is room for one more, else maxUnavailable: 1' }
}

/** What does not parse is the schema's to tell. */
function checkSteps(kind: unknown, steps: unknown, path: KeyPath): Finding[] {
  const shares = listOf(steps).map((text) => (typeof text === 'string' ? parsePercent(text) : undefined))
  if (steps === undefined || shares.length === 0 || shares.includes(undefined)) return []
  const fault = stepsFault(typeof kind === 'string' ? kind : undefined, shares as number[])
  if (fault === undefined) return []
  const { at, ...words } = fault
  return [{ path: at === undefined ? path : [...path, at], at: 'value', ...words }]
}

function checkHeader(name: unknown, path: KeyPath): Finding[] {
  const fault = typeof name === 'string' ? headerFault(name) : undefined
  return fault === undefined ? [] : [{ path, at: 'value', ...fault }]
}

function checkUrl(url: unknown, path: KeyPath): Finding[] {
  const fault = typeof url === 'string' && url !== '' ? urlFault(url) : undefined
  return fault === undefined ? [] : [{ path, at: 'value', ...fault }]
}

function checkJudge(judge: Readonly<Record<string, unknown>>, path: KeyPath, context: CheckContext): Finding[] {
  const metrics = listOf(judge['metrics']).map(recordOf)
  const names = metrics.map(({ name }) => name)
  return [
    ...['ttft', 'tpot', 'length'].flatMap((key) => checkFactor(judge[key], [...path, key])),
    ...checkAlarm(judge['falseAlarmRate'], [...path, 'falseAlarmRate']),
    ...checkGolden(judge['golden'], [...path, 'golden'], context.baseDir),
    ...metrics.flatMap((metric, index) => {
      const isSecond = names.indexOf(metric['name']) < index
      return checkMetric(metric, [...path, 'metrics', index], { ...context, isSecond })
    }),
  ]
}

function checkFactor(text: unknown, path: KeyPath): Finding[] {
  const factor = typeof text === 'string' ? parseFactor(text) : undefined
  if (factor === undefined || (factor >= 1.01 && factor <= 1000)) return []
  return [{ path, at: 'value', message: `${placeName(path)} cannot be \`${String(text)}\``, expected: 'x1.01 to x1000' }]
}

/** No test on finite evidence is never wrong. */
function checkAlarm(text: unknown, path: KeyPath): Finding[] {
  const rate = typeof text === 'string' ? parsePercent(text) : undefined
  if (rate === undefined || (rate >= 1e-6 && rate <= 0.5)) return []
  return [{ path, at: 'value', message: `${placeName(path)} cannot be \`${String(text)}\``, expected: `${formatPercent(1e-6)} to 50%` }]
}

function checkGolden(golden: unknown, path: KeyPath, baseDir: string): Finding[] {
  if (typeof golden !== 'string' || golden === '') return []
  const file = resolve(baseDir, golden)
  const found = statSync(file, { throwIfNoEntry: false })
  if (found?.isFile() === true) return []
  const message = found === undefined ? `there is no file ${file}` : `${file} is not a file`
  return [{ path, at: 'value', message, hint: 'the guide of rollouts shows what stands in it' }]
}
