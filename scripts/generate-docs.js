/**
 * Writes the pages and the schema that are made from the code. `npm run docs` writes them, `npm run docs -- --check` says which are stale and fails.
 * Needs a build (`npx tsc -b`).
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { commandsReference, loadCommands } from './docs/commands-reference.js'
import { controlReference } from './docs/control-reference.js'
import { errorsReference } from './docs/errors-reference.js'
import { decisionReference, requestRecordReference, statusReference } from './docs/interface-reference.js'
import { metricsReference } from './docs/metrics-reference.js'
import { reliabilityPage } from './docs/reliability-page.js'
import { strategiesReference } from './docs/strategies-reference.js'
import { schemaJson, topologyReference } from './docs/topology-reference.js'

const check = process.argv.includes('--check')
const schema = await schemaJson()

const pages = {
  'packages/core/lb.schema.json': schema,
  'docs/reference/topology.md': topologyReference(JSON.parse(schema)),
  'docs/reference/commands.md': commandsReference(await loadCommands()),
  'docs/reference/control-api.md': controlReference(),
  'docs/reference/decision.md': decisionReference(),
  'docs/reference/errors.md': errorsReference(),
  'docs/reference/metrics.md': metricsReference(),
  'docs/reference/request-record.md': requestRecordReference(),
  'docs/reference/status.md': statusReference(),
  'docs/reference/strategies.md': strategiesReference(),
  'docs/reliability.md': reliabilityPage(),
}

const at = (path) => new URL(`../${path}`, import.meta.url)
const stale = Object.entries(pages).filter(([path, text]) => !existsSync(at(path)) || readFileSync(at(path), 'utf8') !== text)

for (const [path, text] of stale) {
  if (!check) writeFileSync(at(path), text)
  process.stdout.write(`${check ? 'stale' : 'written'}: ${path}\n`)
}
if (check && stale.length > 0) {
  process.stderr.write('run `npm run docs` and commit what it writes\n')
  process.exitCode = 1
}
