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

/** What runs on this machine right now, best first; the simulated one is always possible. */
export function proposals(reports: readonly EngineReport[]): readonly Proposal[] {
  const running = reports.flatMap((report) => (report.detection?.url === undefined ? [] : [fromDetection(report.engine, report.detection)]))
  return [...running, readTemplate('sim')]
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
  const names = models.slice(0, 8)
  const [first = 'local'] = names
  const more = models.length > names.length ? `   # and ${models.length - names.length} more that it serves` : ''
  const text = `# yaml-language-server: $schema=${schemaUrl()}
# Made from what runs here: ${detail.replaceAll(/[^\p{L}\p{N}\p{P}\p{Zs}\p{S}]/gu, '?')}
pools:
  chat:
    models: [${(names.length === 0 ? [first] : names).map((name) => quoted(name)).join(', ')}]${more}
    nodes:
      - engine: ${engine}
        attach: ${quoted(url ?? '')}
`
  return { name: engine, summary: `${engine} at ${url ?? ''}: ${detail}`, text }
}

/** A YAML scalar that means exactly this text: a model may be called anything, also `${HOME}`. */
function quoted(text: string): string {
  return JSON.stringify(text.replaceAll('${', () => '$${'))
}
