import { createHash } from 'node:crypto'
import { basename, dirname, resolve } from 'node:path'
import { buildTopology } from './build-topology.js'
import type { EngineCatalogue, MetricCatalogue, StrategyCatalogue } from './catalogue.js'
import type { CheckContext } from './check-context.js'
import { checkGateway } from './check-gateway.js'
import { checkPools } from './check-pools.js'
import { checkQuantities } from './check-quantities.js'
import { placeFindings, type Finding } from './finding.js'
import { slug } from './group-names.js'
import { checkHosts } from './host-plans.js'
import type { Environment } from './interpolate.js'
import { recordOf, type KeyPath } from './key-path.js'
import { namePattern } from './name-pattern.js'
import { TopologyErrors } from './topology-errors.js'
import { readData } from './read-data.js'
import type { ReadDocument } from './read-document.js'
import { readJson } from './read-json.js'
import { readYaml } from './read-yaml.js'
import { checkTopologySchema, createSettingsChecker } from './schema-check.js'
import type { TopologyInput } from './schema.js'
import type { Topology } from './topology.js'
import { isTopologySource, type TopologySource } from './topology-source.js'

export interface ResolveOptions {
  readonly engines: EngineCatalogue
  readonly strategies: StrategyCatalogue
  /** Metrics of plugins; default none. */
  readonly metrics?: MetricCatalogue
  /** For `${VAR}`; default `process.env`. */
  readonly env?: Environment
  /** Wins over the file's own name. */
  readonly name?: string
  /** Where relative paths of an input object start and what it is named after; default the working directory. */
  readonly cwd?: string
}

/**
 * Checks a topology and fills in every default.
 * Throws TopologyErrors with all mistakes at once; loads yaml and ajv only now, so that importing this room costs nothing.
 */
export async function resolveTopology(source: TopologySource | TopologyInput, options: ResolveOptions): Promise<Topology> {
  const from = isTopologySource(source) ? source : undefined
  const file = from?.file
  const baseDir = file === undefined ? resolve(options.cwd ?? '.') : folderOf(file)
  const document = await read(source, options.env ?? process.env)
  const { engines, strategies, metrics = new Map() } = options
  const context: CheckContext = { engines, strategies, metrics, baseDir, checkSettings: await createSettingsChecker() }
  const findings = document.usable ? await check(document, context) : document.findings
  if (findings.length > 0) {
    throw new TopologyErrors(
      placeFindings(findings, document.places, from?.shown ?? 'topology'),
      from?.kind === 'text' ? from.text : undefined,
    )
  }
  const input = document.value as TopologyInput
  const name = options.name ?? input.name ?? defaultName(baseDir)
  return buildTopology(input, { name, ...(file === undefined ? {} : { file }) }, context)
}

async function read(source: TopologySource | TopologyInput, env: Environment): Promise<ReadDocument> {
  if (!isTopologySource(source)) return readData(source, env)
  if (source.kind === 'code') return readData(source.value, env)
  return source.format === 'json' ? readJson(source.text, env) : readYaml(source.text, env)
}

/**
 * The name alone, without checking the rest: commands that only ask a running balancer need no ajv. An unusable file or name gives the folder's.
 * `env` is for `${VAR}`; default `process.env`.
 */
export async function topologyNameOf(source: TopologySource, env: Environment = process.env): Promise<string> {
  const document = await read(source, env)
  const { name } = recordOf(document.value)
  const unset = document.findings.some(({ path }) => path[0] === 'name')
  return typeof name === 'string' && !unset && new RegExp(namePattern).test(name) ? name : defaultName(folderOf(source.file))
}

async function check(document: ReadDocument, context: CheckContext): Promise<readonly Finding[]> {
  const { value } = document
  const bySchema = [...document.findings, ...(await checkTopologySchema(value))]
  const beyond = [
    ...checkGateway(value, context),
    ...checkHosts(value, context.engines),
    ...checkPools(value, context),
    ...checkQuantities(value),
  ]
  // Where a value is already known to be wrong, its later mistakes only repeat that.
  return [...withoutEchoes(bySchema, document.findings), ...withoutEchoes(beyond, bySchema)]
}

function withoutEchoes(findings: readonly Finding[], earlier: readonly Finding[]): Finding[] {
  const wrong = earlier.filter((finding) => finding.path.length > 0 && finding.at === 'value')
  return findings.filter((finding) => earlier.includes(finding) || !wrong.some((other) => isBelow(finding.path, other.path)))
}

function isBelow(path: KeyPath, parent: KeyPath): boolean {
  return parent.length <= path.length && parent.every((step, index) => path[index] === step)
}

/** A file in `.config` belongs to the folder above it. */
function folderOf(file: string): string {
  const folder = dirname(file)
  return basename(folder) === '.config' ? dirname(folder) : folder
}

/** Two checkouts with one folder name get different names, and each keeps its own. */
function defaultName(folder: string): string {
  return `${slug(basename(folder), 'topology')}-${createHash('sha256').update(folder).digest('hex').slice(0, 6)}`
}
