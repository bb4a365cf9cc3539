import type { EngineCatalogue, MetricCatalogue, StrategyCatalogue } from './catalogue.js'
import type { SettingsChecker } from './schema-check.js'

/** What the checks beyond the schema need to know. */
export interface CheckContext {
  readonly engines: EngineCatalogue
  readonly strategies: StrategyCatalogue
  readonly metrics: MetricCatalogue
  readonly checkSettings: SettingsChecker
  /** Absolute; relative paths of the topology start here. */
  readonly baseDir: string
}

/** Used where a pool names no strategy. */
export const defaultStrategy = 'adaptive'
/** Used where the gateway names no address; a port that no engine or common tool takes. */
export const defaultListen = '127.0.0.1:8484'
