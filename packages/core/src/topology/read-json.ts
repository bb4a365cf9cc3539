import { messageOf } from '../errors/index.js'
import type { Environment } from './interpolate.js'
import { readData } from './read-data.js'
import { PlaceMap } from './finding.js'
import { readLimits, type ReadDocument } from './read-document.js'
import { readYaml } from './read-yaml.js'

/** Reads JSON with the YAML reader, which knows places and refuses duplicate keys; what JSON itself refuses (comments, trailing commas) stays refused. */
export async function readJson(text: string, env: Environment): Promise<ReadDocument> {
  if (Buffer.byteLength(text) > readLimits.bytes) return readYaml(text, env)
  let data: unknown
  try {
    data = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch (error) {
    return syntaxError(text, messageOf(error))
  }
  const document = await readYaml(text, env)
  // Valid JSON that YAML cannot read exists only at odd edges; then key paths have to do.
  return document.usable ? document : readData(data, env)
}

function syntaxError(text: string, message: string): ReadDocument {
  const position = Number(/at position (\d+)/.exec(message)?.[1] ?? text.length)
  const before = text.slice(0, position).split('\n')
  const mark = { line: before.length, column: (before.at(-1)?.length ?? 0) + 1, width: 1 }
  const words = message.replace(/ in JSON at position.*$| at position.*$/s, '')
  return {
    value: undefined,
    places: new PlaceMap(),
    usable: false,
    findings: [{ path: [], at: 'value', mark, message: `not valid JSON: ${words}` }],
  }
}
