import type { JsonSchema } from '../contracts/index.js'

/** What the topology must know of an engine, as plain data. */
export interface EngineFacts {
  /** Schema of `launch.args`. */
  readonly settings: JsonSchema
  readonly canLaunch: boolean
  /** True where `launch` works with a `command` only. */
  readonly needsCommand?: boolean
  /** True where a launched engine can be given a key to ask for. */
  readonly takesKey?: boolean
  /** URL meant when a node group gives neither attach nor launch. */
  readonly defaultAttachUrl?: string
}

/** By engine name. */
export type EngineCatalogue = ReadonlyMap<string, EngineFacts>

/** By name, metrics of plugins. */
export type MetricCatalogue = ReadonlyMap<string, { readonly settings: JsonSchema }>

/** By strategy name; an alias is an entry of its own. */
export type StrategyCatalogue = ReadonlyMap<string, { readonly settings: JsonSchema }>
