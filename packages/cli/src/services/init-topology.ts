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
}

/** What runs on this machine right now, then what is installed with a model at hand, best first; the simulated one is always possible. */
export function proposals(reports: readonly EngineReport[]): readonly Proposal[] {
  const running = reports.flatMap((report) => (report.detection?.url === undefined ? [] : [fromDetection(report.engine, report.detection)]))
  const installed = reports.flatMap((report) => (isAtHand(report) ? [fromInstalled(report.engine, report.detection)] : []))
  return [...running, ...installed, readTemplate('sim')]
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
  const way = weights === undefined ? 'launch: {}' : `launch: { model: ${quoted(weights)} }`
  const text = topologyText({ made: `what is installed here: ${detail}`, models, engine, way })
  return { name: engine, summary: `${engine}, launched: ${detail}`, text }
}

interface Draft {
  readonly made: string
  readonly models: readonly string[]
  readonly engine: string
  /** The line that says how the node comes about. */
  readonly way: string
}

function topologyText({ made, models, engine, way }: Draft): string {
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
