/** `npm run bench:claims`: writes docs/claims.md, the figures that the field publishes beside ours. Simulated, so that anybody gets the same. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { claims } from './claims-list.js'
import { aligned } from './table.js'

const page = fileURLToPath(new URL('../../docs/claims.md', import.meta.url))

const progress = (/** @type {string} */ text) => void (process.stderr.isTTY && process.stderr.write(`\r\u001B[K${text}`))

const sections = claims.map(({ claim, published, note, measure }) => {
  progress(claim)
  const findings = measure()
  const lines = findings.map(({ setting, ours, isReached }) => [setting, ours, isReached ? 'reached' : 'not reached'])
  const verdict = findings.every(({ isReached }) => isReached)
    ? 'Reached.'
    : findings.some(({ isReached }) => isReached)
      ? 'Reached in part.'
      : 'Not reached.'
  return `## ${claim}\n\nPublished: ${published}. ${note} **${verdict}**\n\n${aligned(['setting', 'ours', ''], lines)}`
})
progress('')

const intro = `Written by \`npm run bench:claims\`; not to be edited. Each figure that others publish about routing stands here beside ours, with the setting in which ours came
out. Theirs come from their machines, models and traffic; ours from \`lb simulate\`: our own strategies and belief in virtual time against modelled engines, with
seed 1, so that every run gives the same. "Not reached" means just that: in this setting our version of the idea does not gain what was published.`

const text = ['# Published figures, beside ours', intro, ...sections].join('\n\n')
writeFileSync(page, `${text}\n`)
process.stdout.write(`${text}\n\nwritten: docs/claims.md\n`)
