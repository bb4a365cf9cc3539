/** docs/reference/topology.md and packages/core/lb.schema.json, both from the one TypeBox schema. Needs a build (`npx tsc -b`). */
const schemaModule = new URL('../../packages/core/dist/topology/schema-json.js', import.meta.url).href

/** The text of packages/core/lb.schema.json. */
export async function schemaJson() {
  return (await import(schemaModule)).schemaJson()
}

/** The reference page as Markdown: one table a section, every key with type, default and description. */
export function topologyReference(schema) {
  const sections = sectionsOf('', schema)
  return `# The topology file

<!-- Written by \`npm run docs\` from packages/core/src/topology/schema.ts; do not edit. -->

One file declares everything. \`lb\` looks for \`lb.yaml\`, \`lb.yml\`, \`lb.json\`, \`lb.config.ts\`, \`lb.config.mts\`, \`lb.config.js\`, \`lb.config.mjs\` or \`.config/lb.yaml\`,
from the working directory up to the folder of the nearest \`package.json\`. \`--file\` names another.

The smallest file:

\`\`\`yaml
pools: { chat: { nodes: [{ engine: ollama }] } }
\`\`\`

## Rules

- YAML is read as YAML 1.2 core. Duplicate keys, tags, a second document, the key \`__proto__\`, more than 100 expanded aliases and files over 1 MiB are refused.
- A key that is not on this page is an error. \`x-*\` is allowed anywhere and ignored.
- Durations: \`250ms\`, \`30s\`, \`5m\`, \`1h\`. Sizes: \`512KiB\`, \`10MiB\`, \`1GiB\` (also \`KB\`, \`MB\`, \`GB\`).
- \`\${NAME}\` and \`\${NAME:-default}\` are replaced in values (not in keys, not below \`apiKey\` and \`apiKeys\`); a variable that is not set and has no default is an error. The default also stands in for an empty value. Inside \`{ }\` and \`[ ]\` a reference needs quotes.
  An unquoted reference means what its value would mean there (\`replicas: \${REPLICAS:-2}\` is a number). \`$\${\` is a plain \`\${\`.
- Secrets never stand in the file: \`{ env: NAME }\` or \`{ file: PATH }\`. They are read when the balancer starts, never written anywhere. A literal is an error, and so is a literal in \`launch.env\` whose name ends in KEY, TOKEN, SECRET or PASSWORD.
- Relative paths start at the folder of the file; for \`.config/lb.yaml\` at the folder above.
- All mistakes are told at once, with line and column (key paths for code), and nothing changes. Exit code 2.
- \`models\` (names that clients ask for) and a node's \`model\` (its name at the upstream) are two things.

${sections.join('\n')}`
}

function sectionsOf(path, schema) {
  const title = path === '' ? '## Top level' : `## ${path}`
  const required = new Set(schema.required ?? [])
  const rows = Object.entries(schema.properties ?? {}).map(([key, value]) => row(key, value, required.has(key)))
  const below = Object.entries(schema.properties ?? {}).flatMap(([key, value]) => nested(path === '' ? key : `${path}.${key}`, value))
  const table = ['| key | value | default | what it is |', '|---|---|---|---|', ...rows].join('\n')
  return [`${title}\n\n${schema.description}\n\n${table}\n`, ...below]
}

/** Sections for objects, maps, lists of objects and unions with an object; secrets explain themselves. */
function nested(path, schema) {
  if (isSecret(schema)) return []
  if (schema.properties !== undefined && Object.keys(schema.properties).length > 0) return sectionsOf(path, schema)
  if (typeof schema.additionalProperties === 'object') return nested(`${path}.NAME`, schema.additionalProperties)
  if (schema.items !== undefined) return nested(`${path}[]`, schema.items)
  return (schema.anyOf ?? []).flatMap((branch) => nested(path, branch))
}

function row(key, schema, required) {
  const byDefault =
    schema.default === undefined ? (required ? 'required' : '') : `\`${JSON.stringify(schema.default).replaceAll('"', '')}\``
  return `| \`${key}\` | ${cell(valueOf(schema))} | ${byDefault} | ${cell(schema.description)} |`
}

function valueOf(schema) {
  if (schema.errorMessage !== undefined) return schema.errorMessage
  if (schema.properties !== undefined) return 'keys, below'
  if (schema.items !== undefined) return 'a list'
  return schema.type ?? ''
}

function isSecret(schema) {
  return schema.properties?.env !== undefined && schema.properties?.file !== undefined && schema.maxProperties === 1
}

function cell(text) {
  return String(text).replaceAll('|', '\\|')
}
