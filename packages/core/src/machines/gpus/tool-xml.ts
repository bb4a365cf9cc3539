const TAG = /<(\/?)([A-Za-z_][\w.-]*)((?:\s+[\w:.-]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>/g
const MOST_TAGS = 200_000
const DEEPEST = 60

/** An element of a tool's XML report. */
export class XmlNode {
  readonly children: XmlNode[] = []
  content = ''

  constructor(
    readonly name: string,
    private readonly attributes: string,
  ) {}

  attribute(name: string): string | undefined {
    return new RegExp(`\\s${name}\\s*=\\s*["']([^"']*)["']`).exec(this.attributes)?.[1]
  }

  child(name: string): XmlNode | undefined {
    return this.children.find((child) => child.name === name)
  }

  all(name: string): readonly XmlNode[] {
    return this.children.filter((child) => child.name === name)
  }

  /** Text of the element down this path. */
  text(...path: readonly string[]): string | undefined {
    return path.reduce<XmlNode | undefined>((node, name) => node?.child(name), this)?.content.trim()
  }
}

/** The root element, or undefined. Just enough XML for the reports of GPU tools: no entities, no CDATA; a report that breaks off keeps what it told. */
export function parseToolXml(text: string): XmlNode | undefined {
  const top = new XmlNode('', '')
  const open = [top]
  let from = 0
  let tags = 0
  for (const match of text.matchAll(TAG)) {
    const here = open.at(-1)
    if (here === undefined || (tags += 1) > MOST_TAGS) break
    here.content += text.slice(from, match.index)
    from = match.index + match[0].length
    const [, closes, name = '', attributes = '', empty] = match
    if (closes === '/') {
      const at = open.findLastIndex((node) => node.name === name)
      if (at > 0) open.length = at
      continue
    }
    const node = new XmlNode(name, attributes)
    here.children.push(node)
    if (empty !== '/' && open.length < DEEPEST) open.push(node)
  }
  return top.children.at(0)
}
