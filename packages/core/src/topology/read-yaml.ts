import type { Document, LineCounter, YAMLError } from 'yaml'
import { messageOf } from '../errors/index.js'
import { PlaceMap, type Finding, type Mark } from './finding.js'
import type { Environment } from './interpolate.js'
import { readLimits, type ReadDocument } from './read-document.js'
import { YamlWalk } from './yaml-walk.js'

/** Reads YAML 1.2 core (JSON is a part of it), strictly, with the place of every key and value. Never throws for what the text holds. */
export async function readYaml(text: string, env: Environment): Promise<ReadDocument> {
  if (Buffer.byteLength(text) > readLimits.bytes) return refused({ message: 'the file is larger than 1 MiB', line: 1, column: 1 })
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  let document: Document.Parsed
  try {
    document = yaml.parseDocument(text, {
      lineCounter: lines,
      version: '1.2',
      schema: 'core',
      uniqueKeys: true,
      merge: false,
      prettyErrors: false,
      // Anything quieter would also hide a second document.
      logLevel: 'error',
    })
  } catch (error) {
    return refused({ message: `the file cannot be read: ${messageOf(error)}`, line: 1, column: 1 })
  }
  const marker = new Marker(text, lines)
  const syntax = telling([...document.errors, ...document.warnings]).map((error) => syntaxFinding(error, marker, text))
  if (document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2') syntax.unshift(versionFinding())
  const walk = new YamlWalk({ yaml, document, env, marker, text })
  const broken = document.errors.some((error) => error.code !== 'DUPLICATE_KEY') || document.warnings.length > 0
  const value = broken ? undefined : walk.read()
  return { value, places: walk.places, findings: [...syntax, ...walk.findings], usable: !broken }
}

/** Offsets of the text to marks. */
export class Marker {
  constructor(
    private readonly text: string,
    private readonly lines: LineCounter,
  ) {}

  /** The stretch from `start`, cut at the end of its line. */
  mark(start: number, end: number): Mark {
    const { line, col } = this.lines.linePos(start)
    const newline = this.text.slice(start, end).search(/[\r\n]/)
    return { line: Math.max(1, line), column: Math.max(1, col), width: Math.max(1, newline < 0 ? end - start : newline) }
  }
}

const plainWords: Readonly<Record<string, { readonly message: string; readonly hint?: string }>> = {
  DUPLICATE_KEY: { message: 'this key stands twice in one map', hint: 'keep one of the two' },
  MULTIPLE_DOCS: {
    message: 'the file holds more than one YAML document',
    hint: 'one file is one topology: remove the line `---` and what follows',
  },
  TAG_RESOLVE_FAILED: { message: 'YAML tags are not known here', hint: 'write the value plainly' },
}

/** After the first break in the syntax the parser guesses; what it says then is noise. */
function telling(errors: readonly YAMLError[]): readonly YAMLError[] {
  const first = errors.find((error) => plainWords[error.code] === undefined)
  return errors.filter((error) => error === first || plainWords[error.code] !== undefined)
}

function syntaxFinding(error: YAMLError, marker: Marker, text: string): Finding {
  const [start, end] = error.pos
  const line = text.slice(text.lastIndexOf('\n', start) + 1, start)
  const reference = /[{[].*\$\{|[{[].*\$$/.test(line) ? { hint: 'inside { } and [ ] a reference needs quotes: "${NAME}"' } : {}
  const isDeep = /call stack/.test(error.message)
  const words = plainWords[error.code] ?? { message: isDeep ? 'nested too deeply' : `not valid YAML: ${error.message}`, ...reference }
  return { path: [], at: 'value', mark: marker.mark(start, Math.max(end, start + 1)), ...words }
}

function versionFinding(): Finding {
  return { path: [], at: 'value', mark: { line: 1, column: 1, width: 5 }, message: 'only YAML 1.2 is read', hint: 'remove the %YAML line' }
}

function refused(at: { readonly message: string; readonly line: number; readonly column: number }): ReadDocument {
  const mark = { line: at.line, column: at.column, width: 1 }
  return { value: undefined, places: new PlaceMap(), findings: [{ path: [], at: 'value', mark, message: at.message }], usable: false }
}
