import { isLbError, LbError, messageOf, type MetricPlugin } from '@plimsoll/core'
import { importMetrics } from '../keeper/import-metrics.js'
import { keepCoreLink } from './core-link.js'
import { manifestIn } from './engine-catalogue.js'
import { badPlugin, declaredModules, moduleOf, namedModules } from './plugin-manifest.js'

/** A metric that an installed package says it brings; known from its package.json alone, no code of it has run. */
export interface InstalledMetric {
  readonly metric: string
  readonly packageName: string
  /** Absolute path of the module that exports `metric`. */
  readonly modulePath: string
}

/** A package whose metrics cannot be used. */
export interface MetricFault {
  readonly packageName: string
  /** Names that it would bring, as far as they can be read. */
  readonly metrics: readonly string[]
  readonly error: LbError
}

export interface MetricInventory {
  readonly metrics: ReadonlyMap<string, InstalledMetric>
  readonly faults: readonly MetricFault[]
}

/** Metrics of the plugins in `pluginRoots`, by name. Two of one name are no metric at all: load order must not decide. */
export function installedMetrics(pluginRoots: readonly string[]): MetricInventory {
  const owners = new Map<string, string>()
  const metrics = new Map<string, InstalledMetric>()
  const faults: MetricFault[] = []
  for (const folder of pluginRoots) {
    for (const found of metricsOrFault(folder, faults)) {
      const owner = owners.get(found.metric)
      if (owner === undefined) metrics.set(found.metric, found)
      else faults.push(clash(found, owner))
      owners.set(found.metric, owner ?? found.packageName)
    }
  }
  for (const { error, metrics: names } of faults) if (error.code === 'LB_METRIC_DUPLICATE') for (const name of names) metrics.delete(name)
  return { metrics, faults }
}

/** The metrics of one package folder. Throws LB_BAD_PLUGIN. */
export function metricsIn(folder: string): InstalledMetric[] {
  const manifest = manifestIn(folder)
  const packageName = manifest.name ?? folder
  return Object.entries(declaredModules(manifest, folder, 'metrics')).map(([metric, path]) => {
    return { metric, packageName, modulePath: moduleOf(folder, path, { packageName, what: `metric \`${metric}\`` }) }
  })
}

/** Metric name to module path, as the balancer process takes it. */
export function metricModules(metrics: readonly InstalledMetric[]): Record<string, string> {
  return Object.fromEntries(metrics.map((each) => [each.metric, each.modulePath]))
}

/** Imports the modules of these metrics. Throws LB_BAD_PLUGIN: a rollout that cannot be judged as declared must not begin. */
export function loadMetrics(metrics: readonly InstalledMetric[]): Promise<readonly MetricPlugin[]> {
  return importMetrics(metricModules(metrics))
}

function metricsOrFault(folder: string, faults: MetricFault[]): readonly InstalledMetric[] {
  try {
    keepCoreLink(folder)
    return metricsIn(folder)
  } catch (thrown) {
    faults.push(faultIn(folder, isLbError(thrown) ? thrown : badPlugin(folder, messageOf(thrown))))
    return []
  }
}

function faultIn(folder: string, error: LbError): MetricFault {
  try {
    const manifest = manifestIn(folder)
    return { packageName: manifest.name ?? folder, metrics: namedModules(manifest, 'metrics'), error }
  } catch {
    return { packageName: folder, metrics: [], error }
  }
}

function clash({ metric, packageName }: InstalledMetric, owner: string): MetricFault {
  const error = new LbError(`two bring the metric \`${metric}\`: ${owner} and ${packageName}`, {
    code: 'LB_METRIC_DUPLICATE',
    source: 'operator',
    hint: `remove one: lb plugins uninstall ${packageName}`,
  })
  return { packageName, metrics: [metric], error }
}
