import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LbError, type Detection } from '@plimsoll/core'
import type { EngineReport } from './detect-engines.js'
import { readTemplate, schemaUrl } from './templates.js'

/** A topology that could be written here. */
export interface Proposal {
  readonly name: string
  readonly summary: string
  readonly text: string
  /** The same with a GPU for each replica, where it launches. */
  readonly gpuText?: string
}

/** What runs on this machine right now, then what is installed with a model at hand, best first; the simulated one is always possible. */
export function proposals(reports: readonly EngineReport[]): readonly Proposal[] {
  const running = reports.flatMap((report) => (isServing(report) ? [fromDetection(report.engine, report.detection)] : []))
  const installed = reports.flatMap((report) => (isAtHand(report) ? [fromInstalled(report.engine, report.detection)] : []))
  return [...running, ...installed, readTemplate('sim')]
}

/** A server that says it has no model would answer nothing. */
function isServing(report: EngineReport): report is EngineReport & { readonly detection: Detection } {
  return report.detection?.url !== undefined && report.detection.models?.length !== 0
}

/** Why an engine that is here is not proposed. */
export function leftOut(reports: readonly EngineReport[]): readonly string[] {
  return reports
    .filter((report) => report.detection?.found === true && report.engine !== 'sim' && !isServing(report) && !isAtHand(report))
    .map(({ engine, detection }) => `${engine}: ${detection?.detail ?? ''}`)
}

/** Nothing runs, but a launch would serve what lies here. */
function isAtHand(report: EngineReport): report is EngineReport & { readonly detection: Detection } {
  const { detection, canLaunch } = report
  return canLaunch && detection?.found === true && detection.url === undefined && (detection.models ?? []).length > 0
}

/** Writes lb.yaml. Throws LB_FILE_EXISTS unless `force`. */
export function writeTopology(folder: string, text: string, options: { readonly force: boolean }): string {
  const path = join(folder, 'lb.yaml')
  try {
    writeFileSync(path, text, { flag: options.force ? 'w' : 'wx' })
    return path
  } catch (cause) {
    if (!existsSync(path)) throw cause
    throw new LbError(`${path} is there already and was left as it is`, {
      code: 'LB_FILE_EXISTS',
      source: 'operator',
      hint: 'lb init --force replaces it; lb config shows what it says',
      cause,
    })
  }
}

function fromDetection(engine: string, { url, models = [], detail }: Detection): Proposal {
  const text = topologyText({ made: `what runs here: ${detail}`, models, engine, way: `attach: ${quoted(url ?? '')}` })
  return { name: engine, summary: `${engine} at ${url ?? ''}: ${detail}`, text }
}

function fromInstalled(engine: string, { models = [], weights, detail }: Detection): Proposal {
  const model = weights === undefined ? [] : [`model: ${quoted(weights)}`]
  const textWith = (...keys: readonly string[]) =>
    topologyText({
      made: `what is installed here: ${detail}`,
      models,
      engine,
      way: keys.length === 0 ? 'launch: {}' : `launch: { ${keys.join(', ')} }`,
    })
  return {
    name: engine,
    summary: `${engine}, launched: ${detail}`,
    text: textWith(...model),
    gpuText: textWith(...model, 'gpus: { perReplica: 1 }'),
  }
}

interface Draft {
  readonly made: string
  readonly models: readonly string[]
  readonly engine: string
  /** The line that says how the node comes about. */
  readonly way: string
}

/** Models that do not chat; `lb ask` takes the first of a pool. */
const noChat = /embed|rerank|\bbge-|minilm|whisper/i

function topologyText({ made, models: found, engine, way }: Draft): string {
  const models = [...found.filter((name) => !noChat.test(name)), ...found.filter((name) => noChat.test(name))]
  const names = models.slice(0, 8)
  const more = models.length > names.length ? `   # and ${models.length - names.length} more that it serves` : ''
  return `# yaml-language-server: $schema=${schemaUrl()}
# Made from ${made.replaceAll(/[^\p{L}\p{N}\p{P}\p{Zs}\p{S}]/gu, '?')}
pools:
  chat:
    models: [${(names.length === 0 ? ['local'] : names).map((name) => quoted(name)).join(', ')}]${more}
    nodes:
      - engine: ${engine}
        ${way}
`
}

/** A YAML scalar that means exactly this text: a model may be called anything, also `${HOME}`. */
function quoted(text: string): string {
  return JSON.stringify(text.replaceAll('${', () => '$${'))
}
