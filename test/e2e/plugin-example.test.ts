/** `npm run example:plugin`, as CI sees it: plugins from nothing to a served answer, without a network. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { repository } from './house.js'

const run = promisify(execFile)

it('an engine, a strategy and a metric are written, built, tested, packed, installed, serve an answer and are removed', async () => {
  const { stdout } = await run(process.execPath, [join(repository, 'scripts/example-plugin.js')], { timeout: 170_000 })
  const steps = [
    'init plugin',
    'npm test',
    'npm pack',
    'init plugin fill-up --strategy',
    'npm test',
    'init plugin short-answers --metric',
    'npm test',
    'plugins install file:',
    'lb strategies fill-up',
    'lb up',
    'You said: Is there anybody?',
    'lb down',
    'plugins uninstall',
  ]
  let from = 0
  for (const step of steps) {
    expect(stdout.slice(from), stdout).toContain(step)
    from = stdout.indexOf(step, from)
  }
  expect(stdout).toMatch(/removed\.\n$/)
}, 180_000)
