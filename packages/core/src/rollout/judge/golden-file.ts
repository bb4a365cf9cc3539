import { readFile, stat } from 'node:fs/promises'
import { isLbError, LbError, messageOf } from '../../errors/index.js'
import { checkGolden, type GoldenFinding } from './golden-schema.js'
import type { GoldenPrompt } from './golden-prompt.js'

/** A golden file is read whole and asked whole. */
const most = { bytes: 1024 * 1024, prompts: 500 } as const

/** Reads prompts with what their answers must be. Throws LB_GOLDEN_INVALID with the line of each mistake. */
export async function readGoldenFile(path: string): Promise<readonly GoldenPrompt[]> {
  const text = await textOf(path).catch((error: unknown) => {
    throw isLbError(error) ? error : invalid(`${path} cannot be read: ${messageOf(error)}`, error)
  })
  return parseGolden(text, path)
}

/** What is no file may never end, and what is too large need not be read to say so. */
async function textOf(path: string): Promise<string> {
  const found = await stat(path)
  if (!found.isFile()) throw invalid(`${path} is not a file`)
  if (found.size > most.bytes) throw tooLarge(path)
  return readFile(path, 'utf8')
}

/** The text of such a file; `file` is how errors call it. */
export async function parseGolden(text: string, file: string): Promise<readonly GoldenPrompt[]> {
  if (Buffer.byteLength(text) > most.bytes) throw tooLarge(file)
  const yaml = await import('yaml')
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, {
    lineCounter: lines,
    version: '1.2',
    schema: 'core',
    uniqueKeys: true,
    prettyErrors: false,
    logLevel: 'error',
  })
  const [broken] = document.errors
  if (broken !== undefined) throw invalid(`${file}:${lines.linePos(broken.pos[0]).line}: not valid YAML: ${broken.message}`)
  const value: unknown = document.toJS({ maxAliasCount: 100 })
  const lineOf = ({ path }: GoldenFinding) => {
    for (let length = path.length; length >= 0; length -= 1) {
      const node: unknown = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
      if (yaml.isNode(node) && node.range) return lines.linePos(node.range[0]).line
    }
    return 1
  }
  const findings = checkGolden(value, most.prompts)
  if (findings.length > 0) throw invalid(findings.map((finding) => `${file}:${lineOf(finding)}: ${finding.message}`).join('\n'))
  return (value as readonly Omit<GoldenPrompt, 'place'>[]).map((prompt, index) => ({
    ...prompt,
    place: `${file}:${lineOf({ path: [index], message: '' })}`,
  }))
}

function tooLarge(file: string): LbError {
  return invalid(`${file} is larger than 1 MiB`)
}

function invalid(message: string, cause?: unknown): LbError {
  return new LbError(message, {
    code: 'LB_GOLDEN_INVALID',
    source: 'operator',
    httpStatus: 422,
    hint: 'a golden file is a list of prompts with what their answers must be: docs/guides/rollouts.md',
    ...(cause === undefined ? {} : { cause }),
  })
}
