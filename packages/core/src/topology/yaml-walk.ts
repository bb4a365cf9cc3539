import type * as Yaml from 'yaml'
import type { Alias, Document, Node, Pair, Scalar, YAMLMap } from 'yaml'
import { PlaceMap, type Finding, type Mark } from './finding.js'
import { environmentAt, holdsSecret, interpolate, type Environment } from './interpolate.js'
import type { KeyPath } from './key-path.js'
import { isForbiddenKey, readLimits } from './read-document.js'

interface WalkInput {
  readonly yaml: typeof Yaml
  readonly document: Document.Parsed
  readonly env: Environment
  readonly marker: { mark(start: number, end: number): Mark }
  readonly text: string
}

/** Turns a parsed document into plain data and remembers every place; aliases are followed under a budget, so that a small file cannot become a large one. */
export class YamlWalk {
  readonly places = new PlaceMap()
  readonly findings: Finding[] = []
  private aliases = 0
  private values = 0

  constructor(private readonly input: WalkInput) {}

  read(): unknown {
    const root = this.input.document.contents
    this.places.add([], { value: this.input.marker.mark(root?.range?.[0] ?? 0, root?.range?.[1] ?? 0) })
    return this.value(root, [])
  }

  private value(node: unknown, path: KeyPath): unknown {
    const { yaml } = this.input
    if (!yaml.isNode(node)) return null
    this.places.add(path, { value: this.markOf(node) })
    if (++this.values > readLimits.values || path.length > readLimits.depth) {
      return this.values > readLimits.values + 1 ? null : this.refuse(node, path, 'the file is nested too deep or has too many values')
    }
    if (yaml.isAlias(node)) return this.alias(node, path)
    if (yaml.isMap(node)) return this.map(node, path)
    if (yaml.isSeq(node)) return node.items.map((item, index) => this.value(item, [...path, index]))
    return yaml.isScalar(node) ? this.scalar(node, path) : null
  }

  private map(node: YAMLMap, path: KeyPath): Record<string, unknown> {
    const record: Record<string, unknown> = {}
    for (const pair of node.items) {
      const key = this.key(pair, path)
      if (key === undefined) continue
      const at = [...path, key]
      this.places.add(at, { key: this.markOf(pair.key as Node) })
      record[key] = this.value(pair.value, at)
    }
    return record
  }

  private key(pair: Pair, path: KeyPath): string | undefined {
    const { yaml } = this.input
    const node = yaml.isScalar(pair.key) ? pair.key : undefined
    const key = node === undefined ? undefined : keyText(node)
    if (key !== undefined && !isForbiddenKey(key)) return key
    const blamed = yaml.isNode(pair.key) ? pair.key : undefined
    this.refuse(
      blamed,
      key === undefined ? path : [...path, key],
      key === undefined ? 'a key must be a plain word' : `\`${key}\` is not allowed as a key`,
    )
    return undefined
  }

  private alias(node: Alias, path: KeyPath): unknown {
    if (++this.aliases > readLimits.aliasExpansions) {
      return this.aliases > readLimits.aliasExpansions + 1 ? null : this.refuse(node, path, 'more than 100 YAML aliases are expanded')
    }
    const target = node.resolve(this.input.document)
    return target === undefined ? this.refuse(node, path, `no anchor &${node.source} stands before this`) : this.value(target, path)
  }

  private scalar(node: Scalar, path: KeyPath): unknown {
    if (typeof node.value === 'bigint') return Number(node.value)
    if (typeof node.value !== 'string' || holdsSecret(path) || !node.value.includes('${')) return node.value
    const { text, problems } = interpolate(node.value, environmentAt(path, this.input.env))
    for (const { index, width, message, hint } of problems) {
      this.findings.push({ path, at: 'value', mark: this.referenceMark(node, node.value.slice(index, index + width)), message, hint })
    }
    // An unquoted ${REPLICAS} means what the value would mean if it stood there.
    return node.type === 'PLAIN' ? plainValue(text) : text
  }

  private referenceMark(node: Scalar, reference: string): Mark {
    const [start, end] = node.range ?? [0, 0]
    const found = this.input.text.indexOf(reference, start)
    return found < 0 || found > end ? this.markOf(node) : this.input.marker.mark(found, found + reference.length)
  }

  private markOf(node: Node): Mark {
    return this.input.marker.mark(node.range?.[0] ?? 0, node.range?.[1] ?? 0)
  }

  private refuse(node: Node | undefined, path: KeyPath, message: string): null {
    this.findings.push({ path, at: 'value', message, ...(node === undefined ? {} : { mark: this.markOf(node) }) })
    return null
  }
}

/** `8: x` and `true: x` are the keys "8" and "true", as they stand in the file. */
function keyText({ source, value }: Scalar): string | undefined {
  if (value === null) return undefined
  if (typeof value === 'string') return value
  return source ?? (typeof value === 'number' || typeof value === 'boolean' ? `${value}` : undefined)
}

function plainValue(text: string): string | number | boolean {
  if (/^-?(0|[1-9][0-9]*)(\.[0-9]+)?$/.test(text)) return Number(text)
  return text === 'true' ? true : text === 'false' ? false : text
}
